#include "net/rpc/rpc_method.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/base/hex.h"

namespace headrace {
namespace {

std::string_view ExpectedType(ArgumentType type) {
  switch (type) {
    case ArgumentType::kString:
    case ArgumentType::kHex:
      return "string";
    case ArgumentType::kNumber:
      return "number";
    case ArgumentType::kBool:
      break;
  }
  return "bool";
}

std::string TypeMismatch(const Json& value, std::string_view expected) {
  return "JSON value of type " + std::string(JsonTypeName(value)) + " is not of expected type " + std::string(expected);
}

// How help calls the type.
std::string_view TypeWord(const RpcArgument& argument) {
  if (!argument.type_text.empty()) return argument.type_text;
  switch (argument.type) {
    case ArgumentType::kString:
    case ArgumentType::kHex:
      return "string";
    case ArgumentType::kNumber:
      return "numeric";
    case ArgumentType::kBool:
      break;
  }
  return "boolean";
}

size_t RequiredCount(const RpcMethod& method) {
  size_t count = method.arguments.size();
  while (count > 0 && !method.arguments[count - 1].is_required) --count;
  return count;
}

std::string ExampleLines(const RpcMethod& method) {
  std::string params;  // "a b" becomes "a, b"
  for (char c : method.example) params += c == ' ' ? std::string(", ") : std::string(1, c);
  const std::string words = method.example.empty() ? std::string() : " " + std::string(method.example);
  const std::string name(method.name);
  return "> headrace-cli " + name + words +
         "\n> curl --user USER --data-binary '{\"jsonrpc\": \"2.0\", \"id\": \"1\", \"method\": \"" + name +
         "\", \"params\": [" + params + "]}' http://127.0.0.1:8332/\n";
}

}  // namespace

bool RpcArgument::HasName(std::string_view name) const {
  std::string_view left = names;
  while (true) {
    const size_t bar = left.find('|');
    if (left.substr(0, bar) == name) return true;
    if (bar == std::string_view::npos) return false;
    left.remove_prefix(bar + 1);
  }
}

const Json& RpcCall::at(size_t index) const {
  static const Json kNull;
  return index < params_.size() ? params_[index] : kNull;
}

const std::string& RpcCall::Text(size_t index) const {
  const Json& value = at(index);
  if (!value.is_string()) throw RpcError{kRpcWrongType, TypeMismatch(value, "string")};
  return value.get_ref<const std::string&>();
}

bool RpcCall::Flag(size_t index, bool otherwise) const {
  const Json& value = at(index);
  if (value.is_null()) return otherwise;
  if (!value.is_boolean()) throw RpcError{kRpcWrongType, TypeMismatch(value, "bool")};
  return value.get<bool>();
}

int64_t RpcCall::IntegerWithin(size_t index, int64_t minimum, int64_t maximum) const {
  const Json& value = at(index);
  if (!IsJsonNumber(value)) throw RpcError{kRpcWrongType, TypeMismatch(value, "number")};
  // Unsigned values are looked at first: one above 2^63 would look negative otherwise.
  const bool is_within = value.is_number_unsigned() ? value.get<uint64_t>() <= static_cast<uint64_t>(maximum)
                                                    : value.is_number_integer() && value.get<int64_t>() >= minimum &&
                                                          value.get<int64_t>() <= maximum;
  if (!is_within) throw RpcError{kRpcMisc, "JSON integer out of range"};
  return value.get<int64_t>();
}

int32_t RpcCall::Integer(size_t index) const {
  return static_cast<int32_t>(
      IntegerWithin(index, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

uint32_t RpcCall::Unsigned(size_t index) const {
  return static_cast<uint32_t>(IntegerWithin(index, 0, std::numeric_limits<uint32_t>::max()));
}

Hash256 RpcCall::Hash(size_t index, std::string_view name) const {
  const std::string& text = Text(index);
  if (const std::optional<Hash256> hash = Hash256::FromHex(text)) return *hash;
  constexpr size_t kDigits = 64;
  if (text.size() != kDigits) {
    throw RpcError{kRpcInvalidParameter, std::string(name) + " must be of length 64 (not " +
                                             std::to_string(text.size()) + ", for '" + text + "')"};
  }
  throw RpcError{kRpcInvalidParameter, std::string(name) + " must be hexadecimal string (not '" + text + "')"};
}

std::string MethodSynopsis(const RpcMethod& method) {
  std::string line(method.name);
  bool is_in_optional = false;
  for (const RpcArgument& argument : method.arguments) {
    if (argument.is_hidden) break;
    if (!argument.is_required && !is_in_optional) line += " (";
    if (argument.is_required && is_in_optional) line += " )";
    is_in_optional = !argument.is_required;
    const std::string name(argument.name());
    line += argument.is_text() ? " \"" + name + "\"" : " " + name;
  }
  return is_in_optional ? line + " )" : line;
}

std::string MethodHelp(const RpcMethod& method) {
  std::string text = MethodSynopsis(method) + "\n\n" + std::string(method.sentence) + "\n";
  size_t number = 0;
  for (const RpcArgument& argument : method.arguments) {
    if (argument.is_hidden) break;
    if (number++ == 0) text += "\nArguments:\n";
    text +=
        std::to_string(number) + ". " + std::string(argument.name()) + "    (" + std::string(TypeWord(argument)) + ", ";
    text += argument.is_required ? "required" : "optional";
    if (!argument.default_text.empty()) text += ", default=" + std::string(argument.default_text);
    text += ") " + std::string(argument.sentence) + "\n";
  }
  text += "\nResult:\n" + std::string(method.result) + "\n\nExamples:\n" + ExampleLines(method);
  return text;
}

namespace {

// Parameters by name, none of them twice.
class NamedParams {
 public:
  explicit NamedParams(const Json& params) {
    for (const auto& [name, value] : params.get_ref<const Json::object_t&>()) entries_.push_back({&name, &value});
    std::vector<std::string_view> names;
    for (const Entry& entry : entries_) names.push_back(*entry.name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
      throw RpcError{kRpcInvalidParameter, "Parameter " + std::string(*twice) + " specified multiple times"};
  }

  // The value of the first name that fits, which is then gone; nullptr when there is none.
  const Json* Take(const RpcArgument& argument) {
    const auto entry =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return argument.HasName(*one.name); });
    if (entry == entries_.end()) return nullptr;
    const Json* const value = entry->value;
    entries_.erase(entry);
    return value;
  }

  // The first one that nobody took.
  const std::string* Left() const { return entries_.empty() ? nullptr : entries_.front().name; }

 private:
  struct Entry {
    const std::string* name;
    const Json* value;
  };
  std::vector<Entry> entries_;
};

}  // namespace

Json PositionalParams(const RpcMethod& method, const Json& params) {
  if (params.is_array()) return params;
  NamedParams named(params);
  Json positions = Json::array();
  std::string_view first_named;
  size_t first_named_index = 0;
  for (size_t i = 0; i < method.arguments.size(); ++i) {
    const Json* const value = named.Take(method.arguments[i]);
    if (value == nullptr) continue;
    if (first_named.empty()) {
      first_named = method.arguments[i].names;
      first_named_index = i;
    }
    // What was left out before it becomes null; what was left out at the end stays away.
    while (positions.size() < i) positions.push_back(nullptr);
    positions.push_back(*value);
  }
  static constexpr RpcArgument kPositional{.names = "args"};
  if (const Json* const args = named.Take(kPositional)) {
    if (!args->is_array()) throw RpcError{kRpcInvalidParameter, "Unknown named parameter args"};
    if (!first_named.empty() && args->size() > first_named_index) {
      throw RpcError{kRpcInvalidParameter, "Parameter " + std::string(first_named) +
                                               " specified twice both as positional and named argument"};
    }
    for (size_t i = 0; i < args->size(); ++i) {
      if (i < positions.size()) {
        positions[i] = (*args)[i];
      } else {
        positions.push_back((*args)[i]);
      }
    }
  }
  if (const std::string* const unknown = named.Left()) {
    throw RpcError{kRpcInvalidParameter, "Unknown named parameter " + *unknown};
  }
  return positions;
}

void CheckParams(const RpcMethod& method, const Json& params) {
  if (params.size() < RequiredCount(method) || params.size() > method.arguments.size()) {
    throw RpcError{kRpcMisc, MethodHelp(method)};
  }
  Json mismatches = Json::object();
  static const Json kNull;
  for (size_t i = 0; i < method.arguments.size(); ++i) {
    const RpcArgument& argument = method.arguments[i];
    const Json& value = i < params.size() ? params[i] : kNull;
    if (argument.takes_any_type || (value.is_null() && !argument.is_required)) continue;
    const std::string_view expected = ExpectedType(argument.type);
    if (JsonTypeName(value) == expected) continue;
    mismatches["Position " + std::to_string(i + 1) + " (" + std::string(argument.names) + ")"] =
        TypeMismatch(value, expected);
  }
  if (!mismatches.empty()) throw RpcError{kRpcWrongType, "Wrong type passed:\n" + WriteJson(mismatches, 4)};
}

}  // namespace headrace
