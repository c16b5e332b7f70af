// Running programs from tests: start, watch what they print, signal, wait, with a deadline on everything. A child dies
// with the test process, and its output is shown when an expectation about it fails.
//
// One test thread drives a child; a thread inside collects what it prints.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace headrace::testing {

class ChildProcess {
 public:
  // `arguments[0]` is the program. `directory`, unless empty, becomes its working directory.
  explicit ChildProcess(const std::vector<std::string>& arguments, const std::string& directory = "");
  // Kills it if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // For what is done to a process from outside; meaningless once it has ended.
  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // The exit status, 128 + signal when a signal ended it, nothing when it still runs after `seconds`.
  std::optional<int> WaitForExit(double seconds);
  // True once `is_there` holds for what was printed on the standard output so far; false when the child ended or time
  // is up without it.
  bool WaitForOutput(const std::function<bool(std::string_view)>& is_there, double seconds);
  bool WaitForText(std::string_view text, double seconds);

  std::string Output();
  std::string Errors();
  // Both, for the message of a failed expectation.
  std::string Everything();

 private:
  void Collect();
  bool Reap(bool waits);

  pid_t pid_ = -1;
  int output_fd_ = -1;
  int error_fd_ = -1;
  std::thread collector_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string output_;
  std::string errors_;
  bool output_is_closed_ = false;
  bool errors_are_closed_ = false;
  std::optional<int> exit_status_;
};

// Runs to the end; the status is nothing when it had to be killed at the deadline.
struct ProgramResult {
  std::optional<int> status;
  std::string output;
  std::string errors;
};
ProgramResult RunProgram(const std::vector<std::string>& arguments, double seconds);

// A TCP port of 127.0.0.1 that nobody listens on at this moment.
uint16_t FreePort();

// Listens on a port of 127.0.0.1 as long as it lives.
class OccupiedPort {
 public:
  OccupiedPort();
  ~OccupiedPort();
  uint16_t port() const { return port_; }

 private:
  uint16_t port_ = 0;  // first: opening the socket fills it in
  int fd_;
};

}  // namespace headrace::testing
