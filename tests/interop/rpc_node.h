// A headraced whose JSON-RPC is called through headrace-cli, as an operator would.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "net/rpc/json_text.h"
#include "tests/interop/node_process.h"

namespace headrace::testing {

class RpcNode {
 public:
  RpcNode() : node_("regtest") {}

  // Starts a listening node and waits until it answers.
  void Start(const std::vector<std::string>& options = {}) {
    node_.StartListening(options);
    const ProgramResult result = Cli({"-rpcwait", "-rpcwaittimeout=60", "getblockcount"});
    ASSERT_EQ(result.status, 0) << result.errors << node_.process().Everything();
  }

  ProgramResult Cli(const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {Program("headrace-cli"), "-regtest", "-datadir=" + node_.directory(),
                                          "-rpcport=" + std::to_string(node_.rpc_port())};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return RunProgram(arguments, 120);
  }
  // What is printed, without the newline at the end; the call must succeed.
  std::string Text(const std::vector<std::string>& words) {
    ProgramResult result = Cli(words);
    EXPECT_EQ(result.status, 0) << words.front() << ": " << result.errors;
    if (result.output.ends_with('\n')) result.output.pop_back();
    return result.output;
  }
  Json Value(const std::vector<std::string>& words) {
    const std::string text = Text(words);
    const std::optional<Json> value = ParseJson(text);
    EXPECT_TRUE(value.has_value()) << text;
    return value ? *value : Json();
  }
  // "CODE MESSAGE" of a call that must fail with an error of the server's.
  std::string Error(const std::vector<std::string>& words) {
    const ProgramResult result = Cli(words);
    const std::string begin = "error code: ";
    const std::string middle = "\nerror message:\n";
    const size_t at = result.errors.find(middle);
    EXPECT_TRUE(result.errors.starts_with(begin) && at != std::string::npos)
        << words.front() << ": " << result.output << result.errors;
    if (at == std::string::npos) return result.errors;
    const std::string code = result.errors.substr(begin.size(), at - begin.size());
    EXPECT_EQ(result.status, std::abs(std::stoi(code)) & 255) << "the exit status is the code's number";
    std::string message = result.errors.substr(at + middle.size());
    if (message.ends_with('\n')) message.pop_back();
    return code + " " + message;
  }

  // Asks until the tip has this height: the log says so every few seconds only.
  bool WaitForHeight(uint32_t height, double seconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (Text({"getblockcount"}) != std::to_string(height)) {
      if (::testing::Test::HasFailure() || std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
  }

  NodeProcess& node() { return node_; }

 private:
  NodeProcess node_;
};

}  // namespace headrace::testing
