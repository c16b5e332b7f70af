// How a PeerHub behaves. The defaults are the field's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/ports/peer_gateway.h"
#include "net/discovery/discovery.h"
#include "net/peer/peer_permissions.h"
#include "net/transport/address.h"
#include "net/wire/message_header.h"

namespace headrace {

inline constexpr int32_t kProtocolVersion = 70016;
inline constexpr int32_t kProtocolVersionMin = 31800;

struct PeerHubOptions {
  NetworkMagic magic{};
  std::vector<Address> listen;    // empty: no inbound connections
  std::vector<PermittedListener> permitted_listen;  // the same, for whom the operator trusts
  std::vector<PermittedRange> permitted;            // where those come from, or are, whom the operator trusts
  std::vector<HostPort> connect;  // always wanted, and tried again when they are away
  size_t inbound_max = 125;
  // A SOCKS5 proxy through which everything on the internet is reached; it also resolves the names in `connect`.
  std::optional<Address> proxy;
  // How other peers are found and chosen. None: nobody is dialled but `connect`, no address is kept or told.
  std::optional<DiscoveryOptions> discovery;

  uint64_t upload_target_bytes = 0;  // a day; 0: none

  uint64_t services = kNodeNetwork | kNodeWitness;
  std::string user_agent = "/headrace:0.1.0/";
  bool relay_transactions = false;
  bool wants_headers = true;  // new blocks are to be announced by their headers (BIP130)

  int64_t connect_timeout_ms = 10'000;
  int64_t handshake_timeout_ms = 60'000;
  int64_t ping_interval_ms = 120'000;
  int64_t pong_timeout_ms = 20 * 60'000;
  int64_t inactivity_timeout_ms = 90 * 60'000;
  int64_t address_fetch_timeout_ms = 20'000;  // how long a seed node is given to tell addresses
  int64_t address_fetch_linger_ms = 2'000;    // how long it is waited for when it has told one alone, most likely its own
  int64_t reconnect_delay_min_ms = 500;
  int64_t reconnect_delay_max_ms = 60'000;

  // Events that the engine has not taken: their number (a power of two) and their bytes.
  size_t events_max = 1024;
  uint64_t event_bytes_max = 16 << 20;
  size_t commands_max = 4096;  // a power of two
  // A peer with more than this queued is not read from, and with twice as much disconnected.
  uint64_t send_queue_bytes_max = 64 << 20;
  // All peers together: messages that nobody asked for, while they grow.
  uint64_t growing_bytes_max = 128 << 20;
};

}  // namespace headrace
