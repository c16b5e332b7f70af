#include "tools/cli/call_params.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/base/status_macros.h"
#include "tools/config/text.h"

namespace headrace {
namespace {

constexpr std::string_view kPositional = "args";

absl::StatusOr<Json> ReadJsonWord(const std::string& word) {
  std::optional<Json> value = ParseJson(word);
  if (!value) return absl::InvalidArgumentError(Concat("Error parsing JSON: ", word));
  return *std::move(value);
}

// `argument` is nullptr when nothing is known about it.
absl::StatusOr<Json> ReadWord(const RpcArgument* argument, const std::string& word) {
  if (argument == nullptr || argument->is_text()) return Json(word);
  // An argument that may be a string too, such as a hash or a height, need not be quoted twice.
  const bool may_be_text = !argument->type_text.empty();
  if (may_be_text && !ParseJson(word)) return Json(word);
  return ReadJsonWord(word);
}

const RpcArgument* FindArgument(const RpcMethod& method, std::string_view name) {
  const auto argument = std::find_if(method.arguments.begin(), method.arguments.end(),
                                     [&](const RpcArgument& one) { return one.HasName(name); });
  return argument == method.arguments.end() ? nullptr : &*argument;
}

void SetField(Json& object, const std::string& name, Json value) {
  const auto field = object.find(name);
  if (field == object.end()) return AppendField(object, name, std::move(value));
  *field = std::move(value);
}

}  // namespace

absl::StatusOr<Json> PositionalWords(const RpcMethod* method, std::span<const std::string> words) {
  Json params = Json::array();
  for (size_t i = 0; i < words.size(); ++i) {
    const bool is_known = method != nullptr && i < method->arguments.size();
    HR_ASSIGN_OR_RETURN(Json value, ReadWord(is_known ? &method->arguments[i] : nullptr, words[i]));
    params.push_back(std::move(value));
  }
  return params;
}

absl::StatusOr<Json> NamedWords(const RpcMethod* method, std::span<const std::string> words) {
  Json params = Json::object();
  std::vector<std::string> positional;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const RpcArgument* const argument = method == nullptr ? nullptr : FindArgument(*method, name);
    const bool is_name =
        equals != std::string::npos && (argument != nullptr || name == kPositional || method == nullptr);
    if (!is_name) {
      positional.push_back(word);
      continue;
    }
    const std::string text = word.substr(equals + 1);
    HR_ASSIGN_OR_RETURN(Json value, name == kPositional ? ReadJsonWord(text) : ReadWord(argument, text));
    SetField(params, name, std::move(value));
  }
  if (positional.empty()) return params;
  HR_ASSIGN_OR_RETURN(Json values, PositionalWords(method, positional));
  // Beside an `args` of the operator's own this makes two of them, about which the server complains by name.
  AppendField(params, std::string(kPositional), std::move(values));
  return params;
}

}  // namespace headrace
