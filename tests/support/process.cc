#include "tests/support/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace headrace::testing {
namespace {

using TestClock = std::chrono::steady_clock;

TestClock::time_point Deadline(double seconds) {
  return TestClock::now() + std::chrono::duration_cast<TestClock::duration>(std::chrono::duration<double>(seconds));
}

[[noreturn]] void Throw(const std::string& what) { throw std::runtime_error(what + ": " + std::strerror(errno)); }

// A listening socket on a port that the kernel picks.
// Listens on *port, or on one that the system chooses when it is 0. Negative when it is taken.
int TryListenOnLoopback(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Throw("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(*port);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd, 8) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    close(fd);
    return -1;
  }
  *port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::string& directory) {
  int output[2];
  int errors[2];
  if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0) Throw("pipe2");
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) Throw("fork");
  if (pid_ == 0) {
    // Between fork and exec only calls that are safe in a copy of one thread.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(output[1], STDOUT_FILENO);
    dup2(errors[1], STDERR_FILENO);
    if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(127);
    execvp(argv[0], argv.data());
    const char message[] = "cannot execute the program\n";
    [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    _exit(127);
  }
  close(output[1]);
  close(errors[1]);
  output_fd_ = output[0];
  error_fd_ = errors[0];
  collector_ = std::thread([this] { Collect(); });
}

ChildProcess::~ChildProcess() {
  if (!exit_status_) {
    kill(pid_, SIGKILL);
    Reap(/*waits=*/true);
  }
  collector_.join();
  close(output_fd_);
  close(error_fd_);
}

void ChildProcess::Collect() {
  pollfd fds[] = {{output_fd_, POLLIN, 0}, {error_fd_, POLLIN, 0}};
  char buffer[65536];
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      const ssize_t size = read(fds[i].fd, buffer, sizeof(buffer));
      std::lock_guard lock(mutex_);
      if (size > 0) {
        (i == 0 ? output_ : errors_).append(buffer, static_cast<size_t>(size));
      } else if (size == 0 || errno != EINTR) {
        fds[i].fd = -1;
        (i == 0 ? output_is_closed_ : errors_are_closed_) = true;
      }
      changed_.notify_all();
    }
  }
}

void ChildProcess::Signal(int signal) {
  if (!exit_status_) kill(pid_, signal);
}

bool ChildProcess::Reap(bool waits) {
  int status = 0;
  if (exit_status_) return true;
  pid_t reaped;
  do {
    reaped = waitpid(pid_, &status, waits ? 0 : WNOHANG);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != pid_) return false;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

std::optional<int> ChildProcess::WaitForExit(double seconds) {
  const auto deadline = Deadline(seconds);
  while (!Reap(/*waits=*/false)) {
    if (TestClock::now() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  // What it printed last may still be in the pipes.
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, Deadline(5), [&] { return output_is_closed_ && errors_are_closed_; });
  return exit_status_;
}

bool ChildProcess::WaitForOutput(const std::function<bool(std::string_view)>& is_there, double seconds) {
  const auto deadline = Deadline(seconds);
  std::unique_lock lock(mutex_);
  while (!is_there(output_)) {
    if (output_is_closed_) return false;
    if (changed_.wait_until(lock, deadline) == std::cv_status::timeout) return is_there(output_);
  }
  return true;
}

bool ChildProcess::WaitForText(std::string_view text, double seconds) {
  return WaitForOutput([&](std::string_view output) { return output.find(text) != std::string_view::npos; }, seconds);
}

std::string ChildProcess::Output() {
  std::lock_guard lock(mutex_);
  return output_;
}

std::string ChildProcess::Errors() {
  std::lock_guard lock(mutex_);
  return errors_;
}

std::string ChildProcess::Everything() {
  std::lock_guard lock(mutex_);
  constexpr size_t kTailMax = 8000;
  const size_t from = output_.size() > kTailMax ? output_.size() - kTailMax : 0;
  return "--- standard output (its end)\n" + output_.substr(from) + "\n--- standard error\n" + errors_ + "\n---\n";
}

ProgramResult RunProgram(const std::vector<std::string>& arguments, double seconds) {
  ChildProcess child(arguments);
  ProgramResult result;
  result.status = child.WaitForExit(seconds);
  if (!result.status) {
    child.Signal(SIGKILL);
    child.WaitForExit(5);
  }
  result.output = child.Output();
  result.errors = child.Errors();
  return result;
}

uint16_t FreePort() {
  // Below the ports that the system gives to whoever does not choose, and far from those of tests that run at the same time: what is
  // free now must be so a moment later.
  constexpr uint32_t kFirst = 20'000;
  constexpr uint32_t kCount = 12'000;
  static std::atomic<uint32_t> next{static_cast<uint32_t>(getpid()) * 101};
  for (uint32_t tried = 0; tried < kCount; ++tried) {
    auto port = static_cast<uint16_t>(kFirst + next.fetch_add(1) % kCount);
    const int fd = TryListenOnLoopback(&port);
    if (fd < 0) continue;
    close(fd);
    return port;
  }
  Throw("find a free port on 127.0.0.1");
}

OccupiedPort::OccupiedPort() : fd_(TryListenOnLoopback(&port_)) {
  if (fd_ < 0) Throw("listen on 127.0.0.1");
}
OccupiedPort::~OccupiedPort() { close(fd_); }

}  // namespace headrace::testing
