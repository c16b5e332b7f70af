// Every method by its name, and what can be said about all of them. Built once; then any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/rpc/rpc_method.h"

namespace headrace {

class MethodTable {
 public:
  // Names must differ.
  explicit MethodTable(std::vector<RpcMethod> methods);

  // nullptr when there is no such method.
  const RpcMethod* Find(std::string_view name) const;
  // By category, and by name within it.
  std::span<const RpcMethod> methods() const { return methods_; }

  // A line for each method under its category's title, hidden ones left out.
  std::string Overview() const;

 private:
  std::vector<RpcMethod> methods_;
};

// The methods of the interface.
const MethodTable& RpcMethods();

}  // namespace headrace
