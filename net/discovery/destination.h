// Where a connection is to be made to: an address, or a name that a proxy resolves.
//
// A value type; any thread.
#pragma once

#include <string>
#include <utility>

#include "net/discovery/node_address.h"

namespace headrace {

struct Destination {
  NodeAddress node;  // nobody's when there is a name
  HostPort name;     // without a host: `node`

  static Destination Of(const NodeAddress& node) { return {node, {}}; }
  static Destination Of(const Address& address) { return {NodeAddress::Of(address), {}}; }
  static Destination Named(HostPort name) { return {{}, std::move(name)}; }

  bool is_name() const { return !name.host.empty(); }
  // What a proxy is told.
  HostPort ToHostPort() const { return is_name() ? name : HostPort{node.HostText(), node.port}; }
  std::string ToString() const { return is_name() ? name.host + ":" + std::to_string(name.port) : node.ToString(); }
  bool operator==(const Destination&) const = default;
};

}  // namespace headrace
