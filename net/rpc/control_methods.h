// Methods about the server itself: help, stopping, echoes.
#pragma once

#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

std::vector<RpcMethod> ControlMethods();

}  // namespace headrace
