#include "net/rpc/rpc_context.h"

namespace headrace {

void ThrowRpcError(const absl::Status& status) {
  std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      throw RpcError{kRpcNotFound, std::move(message)};
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
      throw RpcError{kRpcInvalidParameter, std::move(message)};
    case absl::StatusCode::kFailedPrecondition:
      throw RpcError{kRpcMisc, std::move(message)};
    case absl::StatusCode::kResourceExhausted:
      throw RpcError{kRpcLimitExceeded, std::move(message)};
    case absl::StatusCode::kUnavailable:
      throw RpcError{kRpcNotConnected, "Shutting down"};
    default:
      throw RpcError{kRpcDatabase, std::move(message)};
  }
}

}  // namespace headrace
