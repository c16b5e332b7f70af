#include "tests/interop/node_process.h"

#include <signal.h>

#include <cmath>
#include <filesystem>

#include "tests/support/data.h"

namespace headrace::testing {

std::string Program(const std::string& name) { return std::string(HEADRACE_PROGRAMS) + "/" + name; }
std::string InteropFile(const std::string& name) { return std::string(HEADRACE_INTEROP) + "/" + name; }

ChildProcess& NodeProcess::Start(const std::vector<std::string>& options) {
  std::error_code ignored;  // it may stand on a disk that is read-only for now
  std::filesystem::remove(directory() + "/summary.json", ignored);
  rpc_port_ = FreePort();
  std::vector<std::string> arguments = {Program("headraced"), "-chain=" + network_, "-datadir=" + directory(),
                                        "-printtoconsole=1", "-dbcache=200", "-rpcport=" + std::to_string(rpc_port_),
                                        "-summaryfile=" + directory() + "/summary.json"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  process_.reset();  // the one before lets go of the directory first
  process_ = std::make_unique<ChildProcess>(arguments);
  return *process_;
}

ChildProcess& NodeProcess::StartListening(const std::vector<std::string>& options) {
  port_ = FreePort();
  std::vector<std::string> all = {"-listen=1", "-bind=" + address(), "-connect=0"};
  all.insert(all.end(), options.begin(), options.end());
  return Start(all);
}

bool NodeProcess::WaitForHeight(uint32_t height, double seconds) {
  return process_->WaitForText(" height=" + std::to_string(height) + " ", seconds);
}

std::optional<int> NodeProcess::Stop() {
  process_->Signal(SIGTERM);
  return process_->WaitForExit(60);
}

std::optional<int> NodeProcess::RunToEnd(const std::vector<std::string>& options, double seconds) {
  return Start(options).WaitForExit(seconds);
}

std::string NodeProcess::network_directory() const {
  if (network_ == "main") return directory();
  return directory() + "/" + (network_ == "test" ? "testnet3" : network_);
}

nlohmann::json NodeProcess::Summary() const {
  const std::string path = directory() + "/summary.json";
  return std::filesystem::exists(path) ? ReadJson(path) : nlohmann::json::object();
}

nlohmann::json NodeProcess::Coins() const {
  const ProgramResult result = RunProgram({Program("headrace-inspect"), "coins", network_directory()}, 60);
  nlohmann::json coins = nlohmann::json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (result.status != 0 || !coins.is_object()) {
    std::fprintf(stderr, "headrace-inspect coins %s: %s%s\n", network_directory().c_str(), result.output.c_str(),
                 result.errors.c_str());
    return nlohmann::json::object();
  }
  return coins;
}

int64_t Satoshis(const nlohmann::json& amount) { return std::llround(amount.get<double>() * 1e8); }

std::string ScriptsChainFile() { return DataDirectory() + "/regtest/scripts-chain.blocks.dat"; }
nlohmann::json ScriptsChainExpected() { return ReadJson(DataDirectory() + "/regtest/scripts-chain.expected.json"); }

}  // namespace headrace::testing
