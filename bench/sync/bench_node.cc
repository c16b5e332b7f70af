#include "bench/sync/bench_node.h"

#include <chrono>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"
#include "net/rpc/rpc_authentication.h"
#include "net/rpc/rpc_cookie.h"
#include "tools/cli/http_post.h"

namespace headrace::bench {
namespace {

constexpr std::chrono::milliseconds kAskInterval(20);
constexpr int kRpcInWarmup = -28;
constexpr double kStillRunning_s = 0;

std::vector<std::string> Arguments(const std::vector<std::string>& command, const std::string& directory,
                                   uint16_t rpc_port, const std::vector<std::string>& options) {
  std::vector<std::string> arguments = command;
  arguments.insert(arguments.end(),
                   {"-regtest", "-datadir=" + directory, "-rpcport=" + std::to_string(rpc_port), "-printtoconsole=0"});
  arguments.insert(arguments.end(), options.begin(), options.end());
  return arguments;
}

}  // namespace

BenchNode::BenchNode(const std::vector<std::string>& command, std::string directory,
                     const std::vector<std::string>& options)
    : program_(command.front()), directory_(std::move(directory)), rpc_port_(testing::FreePort()) {
  std::filesystem::create_directories(directory_);
  process_ = std::make_unique<testing::ChildProcess>(Arguments(command, directory_, rpc_port_, options));
}

absl::Status BenchNode::Failed(const std::string& what) {
  return absl::InternalError(absl::StrCat(program_, " ", what, "; it printed:\n", process_->Everything()));
}

absl::StatusOr<Json> BenchNode::Call(const std::string& method, const Json& parameters, int64_t timeout_s) {
  const absl::StatusOr<std::string> cookie = ReadCookie(directory_ + "/regtest/" + kCookieFileName);
  if (!cookie.ok()) return absl::UnavailableError("there is no cookie yet");
  const Json request = {{"jsonrpc", "1.0"}, {"id", "bench"}, {"method", method}, {"params", parameters}};
  HR_ASSIGN_OR_RETURN(const PostAnswer answer,
                      HttpPost("127.0.0.1", rpc_port_, BasicAuthorization(*cookie), WriteJson(request), timeout_s));
  // A cookie of an earlier run is refused until the new one is written.
  if (answer.status == 401 || answer.status == 503) return absl::UnavailableError("the server is not ready");
  const std::optional<Json> reply = ParseJson(answer.body);
  if (!reply || !reply->is_object() || !reply->contains("result")) {
    return absl::InternalError(absl::StrCat(method, " was answered with \"", answer.body, "\""));
  }
  const Json error = reply->value("error", Json());
  if (error.is_object()) {
    const std::string message = error.value("message", "");
    if (error.value("code", 0) == kRpcInWarmup) return absl::UnavailableError(message);
    return absl::InternalError(absl::StrCat(method, " failed: ", message));
  }
  return (*reply)["result"];
}

absl::Status BenchNode::WaitForBestBlock(const std::string& hash, double seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  std::string last = "no answer";
  while (true) {
    const absl::StatusOr<Json> best = Call("getbestblockhash");
    if (best.ok() && best->is_string() && best->get<std::string>() == hash) return absl::OkStatus();
    last = best.ok() ? WriteJson(*best) : std::string(best.status().message());
    if (process_->WaitForExit(kStillRunning_s)) return Failed("ended before it had the chain");
    if (std::chrono::steady_clock::now() > deadline) {
      return Failed(absl::StrCat("did not get to block ", hash, " in ", seconds, " s (last: ", last, ")"));
    }
    std::this_thread::sleep_for(kAskInterval);
  }
}

absl::Status CopyDataDirectory(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot copy ", from, " to ", to, " (", error.message(),
                                             "): each node needs the chain's size on disk; free some, or name another "
                                             "folder with --work."));
}

absl::Status BenchNode::Stop(double seconds) {
  HR_RETURN_IF_ERROR(Call("stop").status());
  const std::optional<int> status = process_->WaitForExit(seconds);
  if (!status) return Failed(absl::StrCat("did not stop within ", seconds, " s"));
  return *status == 0 ? absl::OkStatus() : Failed(absl::StrCat("ended with status ", *status));
}

}  // namespace headrace::bench
