// Methods about peers and the network.
#pragma once

#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

std::vector<RpcMethod> NetworkMethods();

}  // namespace headrace
