#include "net/rpc/method_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/base/check.h"
#include "net/rpc/address_methods.h"
#include "net/rpc/chain_methods.h"
#include "net/rpc/coin_methods.h"
#include "net/rpc/control_methods.h"
#include "net/rpc/network_methods.h"

namespace headrace {

MethodTable::MethodTable(std::vector<RpcMethod> methods) : methods_(std::move(methods)) {
  std::sort(methods_.begin(), methods_.end(), [](const RpcMethod& a, const RpcMethod& b) {
    return std::tie(a.category, a.name) < std::tie(b.category, b.name);
  });
  for (const RpcMethod& method : methods_) HR_CHECK(Find(method.name) == &method);
}

const RpcMethod* MethodTable::Find(std::string_view name) const {
  const auto method =
      std::find_if(methods_.begin(), methods_.end(), [&](const RpcMethod& one) { return one.name == name; });
  return method == methods_.end() ? nullptr : &*method;
}

std::string MethodTable::Overview() const {
  std::string text;
  std::string_view category;
  for (const RpcMethod& method : methods_) {
    if (method.category == "hidden") continue;
    if (method.category != category) {
      if (!category.empty()) text += "\n";
      category = method.category;
      std::string title(category);
      title[0] = static_cast<char>(title[0] - 'a' + 'A');
      text += "== " + title + " ==\n";
    }
    text += MethodSynopsis(method) + "\n";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

const MethodTable& RpcMethods() {
  static const MethodTable kTable([] {
    std::vector<RpcMethod> all;
    for (std::vector<RpcMethod> topic : {ChainMethods(), CoinMethods(), NetworkMethods(), AddressMethods(), ControlMethods()}) {
      std::move(topic.begin(), topic.end(), std::back_inserter(all));
    }
    return all;
  }());
  return kTable;
}

}  // namespace headrace
