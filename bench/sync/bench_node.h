// A node's process on a regtest data directory: started with options that headraced and Bitcoin Core share, asked over
// JSON-RPC with the cookie that both write, stopped by the method that both have.
//
// One thread. Errors are sentences that name the node's program and what it printed last.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "net/rpc/json_text.h"
#include "tests/support/process.h"

namespace headrace::bench {

class BenchNode {
 public:
  // Starts `command` (a program and options of its own) on `directory`, which is made if need be, with `options` added.
  // It listens for RPC on a free port.
  BenchNode(const std::vector<std::string>& command, std::string directory, const std::vector<std::string>& options);

  pid_t pid() const { return process_->pid(); }
  // The `result` of one call. Unavailable while the server is not there or starts; an answer is awaited for
  // `timeout_s`.
  absl::StatusOr<Json> Call(const std::string& method, const Json& parameters = Json::array(), int64_t timeout_s = 60);
  // Asks for the best block every 20 ms until it is this one.
  absl::Status WaitForBestBlock(const std::string& hash, double seconds);
  // Stops it by RPC and waits until it has ended with status 0.
  absl::Status Stop(double seconds);

  const std::string& directory() const { return directory_; }

 private:
  absl::Status Failed(const std::string& what);

  const std::string program_;
  const std::string directory_;
  const uint16_t rpc_port_;
  std::unique_ptr<testing::ChildProcess> process_;
};

// Copies a stopped node's directory.
absl::Status CopyDataDirectory(const std::string& from, const std::string& to);

}  // namespace headrace::bench
