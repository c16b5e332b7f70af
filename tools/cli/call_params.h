// Words of a command line as parameters of a call. The method's row says which of them are strings; the others are read
// as JSON. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/rpc/json_text.h"
#include "net/rpc/rpc_method.h"

namespace headrace {

// By position. `method` is nullptr for a method that only the server knows: its words are strings.
absl::StatusOr<Json> PositionalWords(const RpcMethod* method, std::span<const std::string> words);

// NAME=VALUE. A word whose name is none of the method's keeps its position and goes into `args`; of two values for one
// name the later one counts.
absl::StatusOr<Json> NamedWords(const RpcMethod* method, std::span<const std::string> words);

}  // namespace headrace
