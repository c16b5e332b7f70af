// Methods about single coins and the whole unspent set.
#pragma once

#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

std::vector<RpcMethod> CoinMethods();

}  // namespace headrace
