// Methods about the addresses of nodes that this one knows.
#pragma once

#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

std::vector<RpcMethod> AddressMethods();

}  // namespace headrace
