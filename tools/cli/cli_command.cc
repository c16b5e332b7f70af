#include "tools/cli/cli_command.h"

#include <chrono>
#include <cstdlib>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>

#include "engine/base/status_macros.h"
#include "net/rpc/method_table.h"
#include "net/rpc/rpc_authentication.h"
#include "net/rpc/rpc_cookie.h"
#include "net/rpc/rpc_error.h"
#include "tools/cli/call_params.h"
#include "tools/cli/cli_options.h"
#include "tools/cli/http_post.h"
#include "tools/config/text.h"

namespace headrace {
namespace {

constexpr std::chrono::milliseconds kWaitInterval(200);

std::string WhyUnauthorized(const CliOptions& options, bool has_cookie) {
  std::string why = "Authorization failed: ";
  if (!options.password.empty()) {
    why += "Incorrect rpcuser or rpcpassword were specified.";
  } else if (options.cookie_file.empty()) {
    why += "Cookie file was disabled via -norpccookiefile and no rpcpassword was specified.";
  } else if (!has_cookie) {
    why += "Failed to read cookie file and no rpcpassword was specified.";
  } else {
    why += "Cookie file credentials were invalid and no rpcpassword was specified.";
  }
  return why + " Configuration file: (" + options.config_file + ")";
}

// The reply of one attempt; Unavailable when no server is there.
absl::StatusOr<Json> CallOnce(const CliOptions& options, const std::string& request) {
  const bool uses_cookie = options.password.empty();
  const auto read_cookie = [&] { return ReadCookie(options.cookie_file).value_or(""); };
  const auto post = [&](const std::string& credentials) {
    return HttpPost(options.host, options.port, BasicAuthorization(credentials), request, options.client_timeout_s);
  };
  std::string credentials = uses_cookie ? read_cookie() : options.user + ":" + options.password;
  absl::StatusOr<PostAnswer> answer = post(credentials);
  // A server that has just begun made its cookie after that was read, and before it was asked.
  if (answer.ok() && answer->status == 401 && uses_cookie) {
    std::string newer = read_cookie();
    if (newer != credentials) {
      credentials = std::move(newer);
      answer = post(credentials);
    }
  }
  if (absl::IsUnavailable(answer.status())) {
    return absl::UnavailableError(Concat(
        "Could not connect to the server ", options.host, ":", options.port,
        "\n\nMake sure that headraced is running there, on this network and with this RPC port; headrace-cli -help "
        "names the options."));
  }
  if (absl::IsDeadlineExceeded(answer.status())) {
    return absl::DeadlineExceededError(
        Concat("no answer within ", options.client_timeout_s, " seconds; -rpcclienttimeout says how long to wait"));
  }
  HR_RETURN_IF_ERROR(answer.status());
  if (answer->status == 401) return absl::PermissionDeniedError(WhyUnauthorized(options, !credentials.empty()));
  if (answer->status == 503) return absl::ResourceExhaustedError("Server response: " + answer->body);
  const bool may_have_reply =
      answer->status < 400 || answer->status == 400 || answer->status == 404 || answer->status == 500;
  if (!may_have_reply) return absl::InternalError(Concat("server returned HTTP error ", answer->status));
  if (answer->body.empty()) return absl::InternalError("no response from server");
  std::optional<Json> reply = ParseJson(answer->body);
  if (!reply) return absl::InternalError("couldn't parse reply from server");
  if (!reply->is_object()) return absl::InternalError("expected reply to have result, error and id properties");
  return *std::move(reply);
}

const Json* FindField(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto field = object.find(name);
  return field == object.end() || field->is_null() ? nullptr : &*field;
}

int CodeOf(const Json& error) {
  const Json* const code = FindField(error, "code");
  return code != nullptr && code->is_number_integer() ? code->get<int>() : kRpcMisc;
}

bool IsInWarmup(const absl::StatusOr<Json>& reply) {
  if (!reply.ok()) return false;
  const Json* const error = FindField(*reply, "error");
  return error != nullptr && CodeOf(*error) == kRpcInWarmup;
}

// With -rpcwait again and again, as long as the server is not there or starts.
absl::StatusOr<Json> Call(const CliOptions& options, const std::string& request) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(options.wait_timeout_s);
  while (true) {
    absl::StatusOr<Json> reply = CallOnce(options, request);
    const bool may_come = absl::IsUnavailable(reply.status()) || IsInWarmup(reply);
    if (!options.waits || !may_come) return reply;
    if (options.wait_timeout_s > 0 && std::chrono::steady_clock::now() >= deadline) {
      return absl::DeadlineExceededError(Concat(
          "timeout on transient error: ", reply.ok() ? "server in warmup" : std::string(reply.status().message())));
    }
    std::this_thread::sleep_for(kWaitInterval);
  }
}

int Show(const Json& reply, std::ostream& output, std::ostream& errors) {
  if (const Json* const error = FindField(reply, "error")) {
    const Json* const message = FindField(*error, "message");
    if (message == nullptr || !message->is_string()) {
      errors << "error: " << WriteJson(*error) << "\n";
      return 1;
    }
    errors << "error code: " << CodeOf(*error) << "\nerror message:\n" << message->get<std::string>() << "\n";
    return std::abs(CodeOf(*error));
  }
  const Json* const result = FindField(reply, "result");
  if (result != nullptr) output << (result->is_string() ? result->get<std::string>() : WriteJson(*result, 2)) << "\n";
  return 0;
}

int Fail(std::ostream& errors, const absl::Status& status, const char* prefix) {
  errors << prefix << std::string(status.message()) << "\n";
  return 1;
}

}  // namespace

int RunCli(std::span<const char* const> arguments, const MachineFacts& machine, std::istream& input,
           std::ostream& output, std::ostream& errors) {
  absl::StatusOr<CliOptions> options = ParseCliOptions(arguments, machine);
  if (!options.ok()) return Fail(errors, options.status(), "Error: ");
  if (options->action != CliAction::kCall) {
    output << (options->action == CliAction::kPrintHelp ? CliOptionTable().HelpText() : CliOptionTable().VersionText());
    return 0;
  }
  if (options->reads_password) std::getline(input, options->password);
  if (options->reads_words) {
    for (std::string line; std::getline(input, line);) options->words.push_back(line);
  }
  if (options->words.empty()) {
    errors << "Error: too few parameters: name a method; headrace-cli help lists them.\n";
    return 1;
  }
  const std::string& name = options->words.front();
  const RpcMethod* const method = RpcMethods().Find(name);
  const std::span<const std::string> words = std::span(options->words).subspan(1);
  absl::StatusOr<Json> params = options->is_named ? NamedWords(method, words) : PositionalWords(method, words);
  if (!params.ok()) return Fail(errors, params.status(), "error: ");
  Json request = Json::object();
  request["jsonrpc"] = "2.0";
  request["id"] = "1";
  request["method"] = name;
  request["params"] = *std::move(params);
  const absl::StatusOr<Json> reply = Call(*options, WriteJson(request) + "\n");
  if (!reply.ok()) return Fail(errors, reply.status(), "error: ");
  return Show(*reply, output, errors);
}

}  // namespace headrace
