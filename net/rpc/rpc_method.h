// What a method of the interface is, as a row: its name, its arguments, what it is for, and the function that answers.
// Argument checking, help, named arguments and the client's conversion of words to values all read the row.
//
// A function may throw RpcError. It is called on worker threads, several at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/primitives/hash256.h"
#include "net/rpc/json_text.h"
#include "net/rpc/rpc_error.h"

namespace headrace {

struct RpcContext;

enum class ArgumentType : uint8_t { kString, kHex, kNumber, kBool };

struct RpcArgument {
  // Further names that it also has follow after bars: `verbosity|verbose`.
  std::string_view names;
  ArgumentType type = ArgumentType::kString;
  bool is_required = false;
  std::string_view default_text;  // of an optional one: how help writes it; empty when there is nothing to say
  std::string_view sentence;
  // The function looks at the type itself, because it takes more than one.
  bool takes_any_type = false;
  // What help calls the type when it takes more than one.
  std::string_view type_text;
  bool is_hidden = false;  // from help, as is every argument after it

  std::string_view name() const { return names.substr(0, names.find('|')); }
  bool HasName(std::string_view name) const;
  // The client passes the word on as a string; otherwise it is read as JSON.
  bool is_text() const { return type == ArgumentType::kString || type == ArgumentType::kHex; }
};

struct RpcMethod;

// One call: positional parameters, complete and of the right types as far as the row says so.
class RpcCall {
 public:
  RpcCall(RpcContext& context, const RpcMethod& method, const Json& params)
      : context_(context), method_(method), params_(params) {}

  RpcContext& context() const { return context_; }
  const Json& params() const { return params_; }

  // Null when it was left out.
  const Json& at(size_t index) const;
  bool Has(size_t index) const { return !at(index).is_null(); }

  const std::string& Text(size_t index) const;
  bool Flag(size_t index, bool otherwise) const;
  // A whole number of 32 bits.
  int32_t Integer(size_t index) const;
  uint32_t Unsigned(size_t index) const;
  // 64 hex digits in display order; messages call the value `name`.
  Hash256 Hash(size_t index, std::string_view name) const;

 private:
  int64_t IntegerWithin(size_t index, int64_t minimum, int64_t maximum) const;

  RpcContext& context_;
  const RpcMethod& method_;
  const Json& params_;
};

struct RpcMethod {
  std::string_view category;  // "hidden" is left out of the overview
  std::string_view name;
  std::string_view sentence;
  std::vector<RpcArgument> arguments;
  std::string_view result;
  std::string_view example;  // arguments as they are typed; empty for a call without any
  Json (*function)(const RpcCall& call);
};

// `getblock "blockhash" ( verbosity )`.
std::string MethodSynopsis(const RpcMethod& method);
// Synopsis, sentence, arguments, result, examples.
std::string MethodHelp(const RpcMethod& method);

// Positional parameters for what came by position or by name. Throws RpcError about names that are unknown, doubled, or
// given both ways.
Json PositionalParams(const RpcMethod& method, const Json& params);
// Throws RpcError when there are too few or too many (the message is the help text) or one has a wrong type.
void CheckParams(const RpcMethod& method, const Json& params);

}  // namespace headrace
