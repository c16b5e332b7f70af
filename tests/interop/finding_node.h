// A headraced that looks for peers by itself, and what it says of them over JSON-RPC.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/rpc/json_text.h"
#include "tests/interop/node_process.h"

namespace headrace::testing {

class FindingNode {
 public:
  // `network` as in -chain.
  explicit FindingNode(const std::string& network = "regtest") : node_(network), network_(network) {}

  void Start(std::vector<std::string> options) {
    if (address_.empty()) address_ = "127.0.0.1:" + std::to_string(FreePort());
    // The fixed seeds are addresses of the internet, and no test dials those.
    options.insert(options.end(), {"-listen=1", "-bind=" + address_, "-fixedseeds=0"});
    node_.Start(options);
    const ProgramResult result = Cli({"-rpcwait", "-rpcwaittimeout=60", "getblockcount"});
    ASSERT_EQ(result.status, 0) << result.errors << node_.process().Everything();
  }
  ProgramResult Cli(const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {Program("headrace-cli"), "-chain=" + network_, "-datadir=" + node_.directory(),
                                          "-rpcport=" + std::to_string(node_.rpc_port())};
    arguments.insert(arguments.end(), words.begin(), words.end());
    return RunProgram(arguments, 60);
  }
  Json Value(const std::vector<std::string>& words) {
    ProgramResult result = Cli(words);
    EXPECT_EQ(result.status, 0) << words.front() << ": " << result.errors;
    if (result.output.ends_with('\n')) result.output.pop_back();
    return ParseJson(result.output).value_or(Json());
  }
  // Whether a peer of this kind at that address is there within `seconds`.
  bool FindsPeer(const std::string& kind, const std::string& at, double seconds) {
    return Within(seconds, [&] {
      for (const Json& peer : Value({"getpeerinfo"})) {
        const bool is_introduced = peer.contains("subver") && peer["subver"] != "";
        if (is_introduced && peer["connection_type"] == kind && peer["addr"] == at) return true;
      }
      return false;
    });
  }
  template <typename Condition>
  static bool Within(double seconds, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!condition()) {
      if (::testing::Test::HasFailure() || std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
  }
  // Where it listens; a free port of 127.0.0.1 unless something else was said before the first start.
  const std::string& address() const { return address_; }
  void ListenAt(std::string address) { address_ = std::move(address); }
  // Addresses in its book.
  int64_t BookSize() { return Value({"getaddrmaninfo"})["all_networks"]["total"].get<int64_t>(); }
  std::string BookFile() const { return node_.network_directory() + "/addresses.dat"; }
  NodeProcess& node() { return node_; }

 private:
  NodeProcess node_;
  const std::string network_;
  std::string address_;
};

}  // namespace headrace::testing
