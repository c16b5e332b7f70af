#include "net/rpc/address_methods.h"

#include <functional>
#include <optional>
#include <utility>

#include "net/discovery/address_book.h"
#include "net/rpc/rpc_context.h"

namespace headrace {
namespace {

constexpr uint8_t kBookNetworks[] = {kNetworkIpv4, kNetworkIpv6, kNetworkTorV3, kNetworkI2p, kNetworkCjdns};

// Looks at the book, if this node keeps one (it does not with -connect).
void LookAtBook(const RpcCall& call, const std::function<void(AddressBook&)>& look) {
  if (!call.context().peers->WithBook(look)) throw RpcError{kRpcNotConnected, "Shutting down"};
}

Json GetNodeAddresses(const RpcCall& call) {
  const int32_t count = call.Has(0) ? call.Integer(0) : 1;
  if (count < 0) throw RpcError{kRpcInvalidParameter, "Address count out of range"};
  std::optional<uint8_t> network;
  if (call.Has(1)) {
    for (const uint8_t one : kBookNetworks) {
      if (AddressNetworkName(one) == call.Text(1)) network = one;
    }
    if (!network) throw RpcError{kRpcInvalidParameter, "Network not recognized: " + call.Text(1)};
  }
  std::vector<HeardAddress> all;
  LookAtBook(call, [&](AddressBook& book) { all = book.Sample(book.size(), 100); });
  Json addresses = Json::array();
  for (const HeardAddress& heard : all) {
    if (count != 0 && addresses.size() == static_cast<size_t>(count)) break;
    if (network && heard.address.network != *network) continue;
    Json json = Json::object();
    json["time"] = heard.time_s;
    json["services"] = heard.services;
    json["address"] = heard.address.HostText();
    json["port"] = heard.address.port;
    json["network"] = std::string(AddressNetworkName(heard.address.network));
    addresses.push_back(std::move(json));
  }
  return addresses;
}

Json CountJson(const AddressBook::NetworkCount& count) {
  Json json = Json::object();
  json["new"] = count.in_new;
  json["tried"] = count.in_tried;
  json["total"] = count.in_new + count.in_tried;
  return json;
}

Json GetAddrManInfo(const RpcCall& call) {
  AddressBook::NetworkCounts counts{};
  LookAtBook(call, [&](AddressBook& book) { counts = book.CountByNetwork(); });
  Json json = Json::object();
  AddressBook::NetworkCount all;
  for (const uint8_t network : kBookNetworks) {
    json[std::string(AddressNetworkName(network))] = CountJson(counts[network]);
    all.in_new += counts[network].in_new;
    all.in_tried += counts[network].in_tried;
  }
  json["all_networks"] = CountJson(all);
  return json;
}

Json AddPeerAddress(const RpcCall& call) {
  const uint32_t port = call.Unsigned(1);
  if (port > UINT16_MAX) throw RpcError{kRpcMisc, "JSON integer out of range"};
  const std::optional<Address> address = ParseNumericHost(call.Text(0), static_cast<uint16_t>(port));
  if (!address) throw RpcError{kRpcInvalidAddress, "Invalid IP address"};
  const bool to_tried = call.Flag(2, false);
  bool is_added = false;
  bool is_tried = false;
  LookAtBook(call, [&](AddressBook& book) {
    const NodeAddress node = NodeAddress::Of(*address);
    is_added = book.Add({node, kNodeNetwork | kNodeWitness, book.now_s()}, node, 0);
    is_tried = is_added && to_tried && book.Good(node);
  });
  Json json = Json::object();
  json["success"] = is_added && (is_tried || !to_tried);
  if (!is_added) json["error"] = "failed-adding-to-new";
  if (is_added && to_tried && !is_tried) json["error"] = "failed-adding-to-tried";
  return json;
}

}  // namespace

std::vector<RpcMethod> AddressMethods() {
  return {
      {.category = "network",
       .name = "getnodeaddresses",
       .sentence = "Lists addresses of nodes that this one knows and thinks worth trying, at random.",
       .arguments = {{.names = "count",
                      .type = ArgumentType::kNumber,
                      .default_text = "1",
                      .sentence = "The most addresses; 0 lists all of them."},
                     {.names = "network",
                      .default_text = "all networks",
                      .sentence = "Only of this network: ipv4, ipv6, onion, i2p or cjdns."}},
       .result = "Objects: time (when it was last heard of, Unix seconds), services (a number), address, port, network.",
       .example = "8",
       .function = GetNodeAddresses},
      {.category = "network",
       .name = "getaddrmaninfo",
       .sentence = "Counts the addresses in the address book.",
       .result = "An object with ipv4, ipv6, onion, i2p, cjdns and all_networks, each an object: new (heard of), tried "
                 "(spoken with),\n"
                 "total.",
       .function = GetAddrManInfo},
      {.category = "hidden",
       .name = "addpeeraddress",
       .sentence = "Puts an address into the address book. For tests.",
       .arguments = {{.names = "address", .is_required = true, .sentence = "IPv4 or IPv6."},
                     {.names = "port", .type = ArgumentType::kNumber, .is_required = true, .sentence = "TCP port."},
                     {.names = "tried",
                      .type = ArgumentType::kBool,
                      .default_text = "false",
                      .sentence = "As if this node had spoken with it."}},
       .result = "An object: success, and error (failed-adding-to-new or failed-adding-to-tried) when there was none.",
       .example = "\"1.2.3.4\" 8333 true",
       .function = AddPeerAddress},
  };
}

}  // namespace headrace
