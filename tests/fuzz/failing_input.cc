#include "tests/fuzz/failing_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>

#include "engine/base/hex.h"
#include "engine/crypto/sha256.h"

// Provided by the sanitizers' runtime where there is one: it ends programs by itself, without a signal.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));
// What the undefined-behaviour sanitizer finds ends the program like everything else.
extern "C" const char* __ubsan_default_options() { return "halt_on_error=1:print_stacktrace=1"; }

namespace headrace::fuzz {
namespace {

constexpr std::array kDeadly = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};

// Prepared before the input runs, because a handler may not allocate.
struct Current {
  std::string program;
  std::string directory;
  std::string path;
  std::string report;
  ByteSpan input;
};

Current& TheCurrent() {
  static Current current;
  return current;
}

void WriteAll(int descriptor, const char* from, size_t size) {
  while (size > 0) {
    const ssize_t written = write(descriptor, from, size);
    if (written <= 0) return;
    from += written;
    size -= static_cast<size_t>(written);
  }
}

void Report() {
  Current& current = TheCurrent();
  if (current.path.empty()) return;
  const int file = open(current.path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file >= 0) {
    WriteAll(file, reinterpret_cast<const char*>(current.input.data()), current.input.size());
    close(file);
  }
  WriteAll(STDERR_FILENO, current.report.data(), current.report.size());
  current.path.clear();
}

void OnDeadlySignal(int number) {
  if (number == SIGALRM) {
    static constexpr std::string_view kSentence = "This input has not come to its end.\n";
    WriteAll(STDERR_FILENO, kSentence.data(), kSentence.size());
  }
  Report();
  // Ends as it would have ended without us.
  std::signal(number, SIG_DFL);
  std::raise(number);
}

// A stack that has run over is no place for a handler.
void GiveHandlersAStack() {
  static std::array<uint8_t, 64 << 10> memory;
  stack_t stack{};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  sigaltstack(&stack, nullptr);
}

}  // namespace

bool HasSanitizer() { return __sanitizer_set_death_callback != nullptr; }

void WatchForFailure(const std::string& program, const std::string& directory) {
  TheCurrent().program = program;
  TheCurrent().directory = directory;
  GiveHandlersAStack();
  const bool has_sanitizer = HasSanitizer();
  if (has_sanitizer) __sanitizer_set_death_callback(Report);
  for (const int number : kDeadly) {
    // A sanitizer's own handler says where; it ends with the callback.
    if (has_sanitizer && (number == SIGSEGV || number == SIGBUS || number == SIGFPE)) continue;
    struct sigaction action {};
    action.sa_handler = OnDeadlySignal;
    action.sa_flags = SA_NODEFER | SA_ONSTACK;
    sigaction(number, &action, nullptr);
  }
}

void SetCurrentInput(std::string_view target, ByteSpan input, const std::string& origin) {
  Current& current = TheCurrent();
  const Digest256 digest = Sha256(input);
  const std::string name = std::string(target) + "-" + HexEncode(ByteSpan(digest).first(6)) + ".input";
  current.path = current.directory + "/" + name;
  current.report = "\nFAILED: " + origin + "\nThe input is in " + current.path + "; run it again with\n  " +
                   current.program + " --target=" + std::string(target) + " " + current.path + "\n";
  current.input = input;
  alarm(kInputTimeLimit_s);
}

void ForgetCurrentInput() { TheCurrent().path.clear(); }

}  // namespace headrace::fuzz
