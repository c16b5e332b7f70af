// Methods about blocks, headers and branches, and about blocks handed in.
#pragma once

#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

std::vector<RpcMethod> ChainMethods();

}  // namespace headrace
