// headraced, headrace-inspect and the facts about a finished run, as the end-to-end tests use them.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

// Path of a program that the build made.
std::string Program(const std::string& name);
// Path of a file of this folder.
std::string InteropFile(const std::string& name);

// One data directory and the headraced process that runs on it, if any.
class NodeProcess {
 public:
  // `network` as in -chain.
  explicit NodeProcess(std::string network) : network_(std::move(network)) {}

  // Starts headraced on this directory with logging to the standard output and a summary file.
  ChildProcess& Start(const std::vector<std::string>& options);
  // Starts it as a listener on a free port of loopback that connects to nobody.
  ChildProcess& StartListening(const std::vector<std::string>& options);
  // Waits until the log reports this height as applied.
  bool WaitForHeight(uint32_t height, double seconds);
  // SIGTERM, and the exit status; nothing when it does not stop within a minute.
  std::optional<int> Stop();
  // Starts, waits for the end by itself (-stopatheight) and returns the exit status.
  std::optional<int> RunToEnd(const std::vector<std::string>& options, double seconds);

  ChildProcess& process() { return *process_; }
  // "127.0.0.1:PORT" after StartListening.
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  uint16_t port() const { return port_; }
  // Of JSON-RPC, after any start.
  uint16_t rpc_port() const { return rpc_port_; }
  const std::string& directory() const { return directory_.path(); }
  // Where the network's files are.
  std::string network_directory() const;

  // The JSON of -summaryfile of the last finished run; an empty object when there is none.
  nlohmann::json Summary() const;
  // What `headrace-inspect coins` prints of the stopped node's directory; an empty object when it fails.
  nlohmann::json Coins() const;

 private:
  std::string network_;
  TemporaryDirectory directory_;
  std::unique_ptr<ChildProcess> process_;
  uint16_t port_ = 0;
  uint16_t rpc_port_ = 0;
};

// Satoshis of a JSON amount with eight decimals.
int64_t Satoshis(const nlohmann::json& amount);

// Path of $HEADRACE_DATA/regtest/scripts-chain.blocks.dat, its facts, and the height of its tip.
std::string ScriptsChainFile();
nlohmann::json ScriptsChainExpected();

}  // namespace headrace::testing
