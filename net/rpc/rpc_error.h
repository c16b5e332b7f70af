// How a call fails: a code that programs know and a message for people. Thrown by methods and by what checks their
// arguments, caught where a reply is made and nowhere else: the only exceptions of the project, because an argument may
// turn out wrong anywhere within an expression, and every caller would do the same about it.
#pragma once

#include <string>

namespace headrace {

// The field's codes, as far as they are used.
enum RpcCode : int {
  kRpcMisc = -1,
  kRpcWrongType = -3,
  kRpcNotFound = -5,  // "invalid address or key": a block, a transaction
  kRpcInvalidParameter = -8,
  kRpcNotConnected = -9,  // the node is stopping
  kRpcDatabase = -20,
  kRpcDecode = -22,
  kRpcInWarmup = -28,
  kRpcInvalidAddress = -30,  // of a host or a subnet
  kRpcLimitExceeded = -37,
  kRpcInvalidRequest = -32600,  // HTTP 400 in JSON-RPC 1
  kRpcMethodNotFound = -32601,  // HTTP 404 in JSON-RPC 1
  kRpcInternal = -32603,
  kRpcParse = -32700,
};

struct RpcError {
  int code;
  std::string message;
};

}  // namespace headrace
