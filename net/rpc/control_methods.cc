#include "net/rpc/control_methods.h"

#include <algorithm>
#include <thread>

#include "net/rpc/method_table.h"
#include "net/rpc/rpc_context.h"

namespace headrace {
namespace {

using std::chrono::duration_cast;
using std::chrono::steady_clock;

// Every argument of every method: [method, position, name, whether a client passes it as a string].
Json ArgumentConversions() {
  Json rows = Json::array();
  for (const RpcMethod& method : RpcMethods().methods()) {
    for (size_t i = 0; i < method.arguments.size(); ++i) {
      std::string_view names = method.arguments[i].names;
      while (!names.empty()) {
        const size_t bar = names.find('|');
        rows.push_back(Json::array(
            {std::string(method.name), i, std::string(names.substr(0, bar)), method.arguments[i].is_text()}));
        names.remove_prefix(bar == std::string_view::npos ? names.size() : bar + 1);
      }
    }
  }
  return rows;
}

Json Help(const RpcCall& call) {
  if (!call.Has(0) || call.Text(0).empty()) return RpcMethods().Overview();
  const std::string& name = call.Text(0);
  if (name == "dump_all_command_conversions") return ArgumentConversions();
  const RpcMethod* const method = RpcMethods().Find(name);
  if (method == nullptr) return "help: unknown command: " + name;
  std::string text = MethodHelp(*method);
  text.pop_back();  // the client ends the line
  return text;
}

Json Stop(const RpcCall& call) {
  // Lets a test see the server between the order and the end.
  constexpr int32_t kWaitMaxMs = 60'000;
  const int32_t wait_ms = call.Has(0) ? std::clamp(call.Integer(0), 0, kWaitMaxMs) : 0;
  call.context().request_stop();
  std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
  return "headrace stopping";
}

Json Uptime(const RpcCall& call) {
  return duration_cast<std::chrono::seconds>(steady_clock::now() - call.context().began).count();
}

Json GetRpcInfo(const RpcCall& call) {
  const auto now = steady_clock::now();
  Json commands = Json::array();
  for (const ActiveCalls::Entry& entry : call.context().active_calls.Snapshot()) {
    Json command = Json::object();
    command["method"] = entry.method;
    command["duration"] = duration_cast<std::chrono::microseconds>(now - entry.began).count();
    commands.push_back(std::move(command));
  }
  Json info = Json::object();
  info["active_commands"] = std::move(commands);
  info["logpath"] = call.context().log_path;
  return info;
}

Json Echo(const RpcCall& call) { return call.params(); }

std::vector<RpcArgument> EchoArguments(ArgumentType type) {
  static constexpr std::string_view kNames[] = {"arg0", "arg1", "arg2", "arg3", "arg4",
                                                "arg5", "arg6", "arg7", "arg8", "arg9"};
  std::vector<RpcArgument> arguments;
  for (std::string_view name : kNames)
    arguments.push_back({.names = name, .type = type, .sentence = "Anything.", .takes_any_type = true});
  return arguments;
}

}  // namespace

std::vector<RpcMethod> ControlMethods() {
  return {
      {.category = "control",
       .name = "help",
       .sentence = "Lists all methods, or describes one.",
       .arguments = {{.names = "command", .default_text = "all of them", .sentence = "The method to describe."}},
       .result = "A text.",
       .example = "\"getblock\"",
       .function = Help},
      {.category = "control",
       .name = "stop",
       .sentence = "Asks the node to stop.",
       .arguments = {{.names = "wait",
                      .type = ArgumentType::kNumber,
                      .sentence = "Milliseconds to wait before the answer.",
                      .is_hidden = true}},
       .result = "The text \"headrace stopping\".",
       .function = Stop},
      {.category = "control",
       .name = "uptime",
       .sentence = "Tells how long the server has run.",
       .result = "Seconds.",
       .function = Uptime},
      {.category = "control",
       .name = "getrpcinfo",
       .sentence = "Tells what the server is at.",
       .result = "An object: active_commands (objects of method and duration in microseconds), logpath.",
       .function = GetRpcInfo},
      {.category = "hidden",
       .name = "echo",
       .sentence = "Gives its arguments back. The client passes them as strings.",
       .arguments = EchoArguments(ArgumentType::kString),
       .result = "An array.",
       .example = "\"a\" \"b\"",
       .function = Echo},
      {.category = "hidden",
       .name = "echojson",
       .sentence = "Gives its arguments back. The client passes them as JSON.",
       .arguments = EchoArguments(ArgumentType::kNumber),
       .result = "An array.",
       .example = "1 true",
       .function = Echo},
  };
}

}  // namespace headrace
