#include "net/peer/discouraged_hosts.h"

namespace headrace {

void DiscouragedHosts::Add(const Address& address) {
  if (!hosts_.insert(address.ip).second) return;
  order_.push_back(address.ip);
  if (order_.size() > kHostsMax) {
    hosts_.erase(order_.front());
    order_.pop_front();
  }
}

}  // namespace headrace
