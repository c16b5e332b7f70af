#include "net/rpc/network_methods.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "net/discovery/outbound_plan.h"
#include "net/peer/peer_hub_options.h"
#include "net/peer/peer_permissions.h"
#include "net/rpc/rpc_context.h"

namespace headrace {
namespace {

std::string ServicesText(uint64_t services) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(services));
  return text;
}

Json ServicesNames(uint64_t services) {
  Json names = Json::array();
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t flag = uint64_t{1} << bit;
    if ((services & flag) == 0) continue;
    switch (flag) {
      case kNodeNetwork:
        names.push_back("NETWORK");
        break;
      case kNodeBloom:
        names.push_back("BLOOM");
        break;
      case kNodeWitness:
        names.push_back("WITNESS");
        break;
      case kNodeCompactFilters:
        names.push_back("COMPACT_FILTERS");
        break;
      case kNodeNetworkLimited:
        names.push_back("NETWORK_LIMITED");
        break;
      case 1 << 11:
        names.push_back("P2P_V2");
        break;
      default:
        names.push_back("UNKNOWN[2^" + std::to_string(bit) + "]");
    }
  }
  return names;
}

// `sync` is nullptr for peers that the engine has not met yet.
Json PeerJson(const PeerStatusNet& peer, const PeerStatus* sync) {
  constexpr double kNanosecondsPerSecond = 1e9;
  Json json = Json::object();
  json["id"] = peer.info.id;
  json["addr"] = peer.info.address;
  json["services"] = ServicesText(peer.info.services);
  json["servicesnames"] = ServicesNames(peer.info.services);
  json["relaytxes"] = false;
  json["bytessent"] = peer.bytes_sent;
  json["bytesrecv"] = peer.bytes_received;
  json["conntime"] = peer.connected_at_s;
  if (peer.ping_ns >= 0) json["pingtime"] = JsonReal(static_cast<double>(peer.ping_ns) / kNanosecondsPerSecond);
  if (peer.ping_min_ns >= 0) json["minping"] = JsonReal(static_cast<double>(peer.ping_min_ns) / kNanosecondsPerSecond);
  json["version"] = peer.info.protocol_version;
  json["subver"] = peer.info.user_agent;
  json["inbound"] = peer.info.is_inbound;
  json["startingheight"] = peer.info.start_height;
  json["presynced_headers"] = -1;
  json["synced_headers"] = sync != nullptr ? sync->known_header_height : -1;
  json["synced_blocks"] = sync != nullptr ? sync->common_block_height : -1;
  json["inflight"] = sync != nullptr ? Json(sync->heights_in_flight) : Json::array();
  json["blocks_received"] = sync != nullptr ? sync->blocks_received : 0;
  json["blocks_served"] = sync != nullptr ? sync->blocks_served : 0;
  json["permissions"] = Json::array();
  for (const std::string_view name : PermissionNames(peer.info.permissions)) json["permissions"].push_back(std::string(name));
  json["bip152_hb_to"] = sync != nullptr && sync->is_compact_announcer;
  json["bip152_hb_from"] = sync != nullptr && sync->wants_compact;
  json["connection_type"] = std::string(PeerKindName(peer.info.kind));
  json["transport_protocol_type"] = "v1";
  return json;
}

Json GetPeerInfo(const RpcCall& call) {
  const NodeStatus status = call.context().node->Status();
  Json peers = Json::array();
  for (const PeerStatusNet& peer : call.context().peers->Status()) {
    const auto sync = std::find_if(status.peers.begin(), status.peers.end(),
                                   [&](const PeerStatus& one) { return one.id == peer.info.id; });
    peers.push_back(PeerJson(peer, sync == status.peers.end() ? nullptr : &*sync));
  }
  return peers;
}

Json GetConnectionCount(const RpcCall& call) { return call.context().peers->Status().size(); }

Json GetNetTotals(const RpcCall& call) {
  const PeerHub& peers = *call.context().peers;
  const NetTotals totals = peers.totals();
  const UploadTarget::Facts facts = peers.upload_target();
  Json target = Json::object();
  target["timeframe"] = UploadTarget::kWindowSeconds;
  target["target"] = facts.target_bytes;
  target["target_reached"] = facts.is_reached;
  target["serve_historical_blocks"] = facts.serves_history;
  target["bytes_left_in_cycle"] = facts.bytes_left;
  target["time_left_in_cycle"] = facts.seconds_left;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  Json json = Json::object();
  json["totalbytesrecv"] = totals.bytes_received;
  json["totalbytessent"] = totals.bytes_sent;
  json["timemillis"] = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  json["uploadtarget"] = std::move(target);
  return json;
}

Json GetNetworkInfo(const RpcCall& call) {
  const RpcContext& context = call.context();
  const std::vector<PeerStatusNet> peers = context.peers->Status();
  const auto inbound =
      std::count_if(peers.begin(), peers.end(), [](const PeerStatusNet& peer) { return peer.info.is_inbound; });
  Json info = Json::object();
  info["version"] = context.version;
  info["subversion"] = context.user_agent;
  info["protocolversion"] = kProtocolVersion;
  info["localservices"] = ServicesText(context.services);
  info["localservicesnames"] = ServicesNames(context.services);
  info["localrelay"] = false;
  info["timeoffset"] = 0;
  info["networkactive"] = true;
  info["connections"] = peers.size();
  info["connections_in"] = inbound;
  info["connections_out"] = peers.size() - static_cast<size_t>(inbound);
  info["networks"] = Json::array();
  for (const uint8_t number : {kNetworkIpv4, kNetworkIpv6, kNetworkTorV3}) {
    const bool is_reachable = (context.networks & NetworkBit(number)) != 0;
    Json network = Json::object();
    network["name"] = std::string(AddressNetworkName(number));
    network["limited"] = !is_reachable;
    network["reachable"] = is_reachable;
    network["proxy"] = context.proxy;
    network["proxy_randomize_credentials"] = !context.proxy.empty();
    info["networks"].push_back(std::move(network));
  }
  info["localaddresses"] = Json::array();
  for (const NodeAddress& own : context.own_addresses) {
    // The field's score of an address that the operator named.
    constexpr int kNamedScore = 4;
    Json json = Json::object();
    json["address"] = own.HostText();
    json["port"] = own.port;
    json["score"] = kNamedScore;
    info["localaddresses"].push_back(std::move(json));
  }
  info["warnings"] = Json::array();
  return info;
}

}  // namespace

std::vector<RpcMethod> NetworkMethods() {
  return {
      {.category = "network",
       .name = "getpeerinfo",
       .sentence = "Lists the peers that are connected, those whose handshake is under way included.",
       .result =
           "Objects: id, addr, services, servicesnames, relaytxes, bytessent, bytesrecv, conntime, pingtime and "
           "minping\n"
           "(seconds, once measured), version, subver, inbound, startingheight, presynced_headers, synced_headers and\n"
           "synced_blocks (heights, -1 while unknown), inflight (heights asked for and not yet here), "
           "blocks_received,\n"
           "blocks_served, permissions (what the operator allows it), bip152_hb_to and bip152_hb_from (whether new blocks are told by compact blocks, by this peer and to it),\n"
           "connection_type (inbound, manual, outbound-full-relay, block-relay-only, feeler, addr-fetch),\n"
           "transport_protocol_type.",
       .function = GetPeerInfo},
      {.category = "network",
       .name = "getconnectioncount",
       .sentence = "Counts the connections to peers.",
       .result = "A number.",
       .function = GetConnectionCount},
      {.category = "network",
       .name = "getnettotals",
       .sentence = "Counts the bytes that went over the network since the start, and tells how far -maxuploadtarget is.",
       .result = "An object: totalbytesrecv, totalbytessent, timemillis (since 1970), uploadtarget: an object of timeframe (seconds),\n"
                 "target (bytes; 0 is none), target_reached, serve_historical_blocks, bytes_left_in_cycle, time_left_in_cycle (seconds\n"
                 "until the oldest bytes of the last 24 hours count no more).",
       .function = GetNetTotals},
      {.category = "network",
       .name = "getnetworkinfo",
       .sentence = "Tells how this node introduces itself and how many connections it has.",
       .result = "An object: version, subversion, protocolversion, localservices, localservicesnames, localrelay, "
                 "timeoffset,\n"
                 "networkactive, connections, connections_in, connections_out, networks, localaddresses, warnings.",
       .function = GetNetworkInfo},
  };
}

}  // namespace headrace
