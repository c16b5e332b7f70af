// Parameters of every method, by position and by name: what is accepted has the row's count and types, gives the same
// by position as by name, and reads as numbers and hashes within their ranges. The client's words go the same way.
#include "net/rpc/method_table.h"
#include "net/rpc/rpc_context.h"
#include "net/rpc/rpc_error.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/cli/call_params.h"

namespace headrace::fuzz {
namespace {

// Nothing when `act` throws what methods throw.
template <typename Act>
auto Try(Act act) -> std::optional<decltype(act())> {
  try {
    return act();
  } catch (const RpcError& error) {
    HR_CHECK(error.code < 0 && !error.message.empty());
    return std::nullopt;
  }
}

bool Suits(const RpcArgument& argument, const Json& value) {
  if (value.is_null()) return !argument.is_required;
  if (argument.takes_any_type) return true;
  switch (argument.type) {
    case ArgumentType::kBool:
      return value.is_boolean();
    case ArgumentType::kNumber:
      return IsJsonNumber(value);
    default:
      return value.is_string();
  }
}

void CheckValues(const RpcMethod& method, const Json& positions) {
  RpcContext context;
  const RpcCall call(context, method, positions);
  for (size_t i = 0; i < method.arguments.size(); ++i) {
    HR_CHECK(call.Has(i) == (i < positions.size() && !positions[i].is_null()));
    const auto integer = Try([&] { return call.Integer(i); });
    const auto natural = Try([&] { return call.Unsigned(i); });
    if (integer && *integer >= 0) HR_CHECK(natural && *natural == static_cast<uint32_t>(*integer));
    if (integer || natural)
      HR_CHECK(WriteJson(call.at(i)) == (integer ? std::to_string(*integer) : std::to_string(*natural)));
    const auto hash = Try([&] { return call.Hash(i, "value"); });
    if (hash) HR_CHECK(Hash256::FromHex(call.at(i).get_ref<const std::string&>()) == *hash);
  }
}

void CheckCall(const RpcMethod& method, const Json& params) {
  const auto positions = Try([&] { return PositionalParams(method, params); });
  if (!positions) return;
  HR_CHECK(positions->is_array());
  const auto checked = Try([&] { return CheckParams(method, *positions), true; });
  bool suits = positions->size() <= method.arguments.size();
  for (size_t i = 0; suits && i < method.arguments.size(); ++i) {
    const bool is_given = i < positions->size();
    suits = is_given ? Suits(method.arguments[i], (*positions)[i]) : !method.arguments[i].is_required;
  }
  HR_CHECK(checked.has_value() == suits);
  if (suits) CheckValues(method, *positions);
  // Given as names, the same positions come out, apart from trailing ones that were left out.
  if (!suits || !params.is_array()) return;
  Json named = Json::object();
  for (size_t i = 0; i < positions->size(); ++i) {
    if (!(*positions)[i].is_null()) AppendField(named, std::string(method.arguments[i].name()), (*positions)[i]);
  }
  Json again = PositionalParams(method, named);
  while (again.size() < positions->size()) again.push_back(nullptr);
  HR_CHECK(again == *positions);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const auto methods = RpcMethods().methods();
  const RpcMethod& method = methods[in.Below(methods.size())];
  const uint8_t form = in.U8() % 3;
  const std::string_view text = AsText(in.Rest());
  if (form == 0) {
    const std::optional<Json> params = ParseJson(text);
    if (params && (params->is_array() || params->is_object())) CheckCall(method, *params);
    return;
  }
  const std::vector<std::string> words = Words(text);
  for (const RpcMethod* known : {&method, static_cast<const RpcMethod*>(nullptr)}) {
    const auto params = form == 1 ? PositionalWords(known, words) : NamedWords(known, words);
    if (!params.ok()) {
      HR_CHECK(!params.status().message().empty());
      continue;
    }
    HR_CHECK(form == 1 ? params->is_array() && params->size() == words.size() : params->is_object());
    // A server could read what the client sends.
    HR_CHECK(ParseJson(WriteJson(*params)).has_value());
    CheckCall(method, *params);
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  const auto methods = RpcMethods().methods();
  for (size_t i = 0; i < methods.size(); ++i) {
    std::string positional = "[";
    std::string named = "{";
    std::string words;
    for (const RpcArgument& argument : methods[i].arguments) {
      const std::string value = argument.type == ArgumentType::kBool     ? "true"
                                : argument.type == ArgumentType::kNumber ? "2147483648"
                                                                         : '"' + std::string(64, 'a') + '"';
      positional += (positional.size() > 1 ? "," : "") + value;
      named += (named.size() > 1 ? ",\"" : "\"") + std::string(argument.name()) + "\":" + value;
      words += std::string(argument.name()) + "=" + value + "\n";
    }
    for (const auto& [form, text] : {std::pair<uint8_t, std::string>{0, positional + "]"},
                                     {0, named + "}"},
                                     {0, R"({"args":)" + positional + "]}"},
                                     {1, words},
                                     {2, words + "7\n"}}) {
      corpus.emplace_back(Bytes{static_cast<uint8_t>(i), form}).insert(corpus.back().end(), text.begin(), text.end());
    }
  }
  return corpus;
}

FUZZ_TARGET(rpc_params, 15'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
