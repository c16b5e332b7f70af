// One connection as the reactor sees it. The reactor thread alone.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "engine/ports/peer_gateway.h"
#include "net/discovery/node_address.h"
#include "net/peer/peer_table.h"
#include "net/transport/socks5_dialogue.h"
#include "net/transport/transport.h"
#include "net/wire/framer.h"

namespace headrace {

// Why a peer is not read from; several may hold at once.
enum PauseReason : uint32_t {
  kPausedByEvents = 1,  // the engine has not taken what came already
  kPausedByPongs = 2,   // many pings wait for their turn
  kPausedBySends = 4,   // it does not read what it asked for
};

struct WaitingPong {
  uint64_t nonce;
  uint64_t after_event;  // leaves once the engine has handled this event
};

struct Peer {
  Peer(const NetworkMagic& magic, Framer::SlabMaker make_slab) : framer(magic, std::move(make_slab)) {}

  PeerInfo info;
  NodeAddress node;  // nobody's when only a proxy knows whom a name stands for
  Address address;   // of `node`, where it has one
  Address listener;  // where it came in, if it did
  std::unique_ptr<Socks5Dialogue> proxy;  // until it has passed the connection on
  std::shared_ptr<PeerCounters> counters;
  Framer framer;
  size_t framer_bytes_counted = 0;

  bool is_connected = false;  // the stream exists; outbound ones begin without
  bool is_closing = false;    // nothing that it sends counts any more
  bool is_version_sent = false;
  bool is_version_received = false;
  bool is_handshake_complete = false;
  bool is_told = false;       // the engine has heard of it, and is to hear of its end
  bool wants_addrv2 = false;  // BIP155
  uint64_t nonce = 0;  // what our version carried

  uint32_t pause_reasons = 0;
  int64_t created_ns = 0;
  int64_t last_receive_ns = 0;
  int64_t leave_ns = INT64_MAX;  // a seed node: when it has been waited for long enough
  int64_t last_block_ns = 0;  // when a block came that it was asked for

  int64_t ping_sent_ns = 0;    // when the ping in flight was sent
  int64_t ping_due_ns = 0;
  uint64_t ping_nonce = 0;     // 0: none in flight

  uint64_t last_event = 0;     // number of the last event that it caused
  std::deque<WaitingPong> pongs;
  absl::flat_hash_set<Hash256> expected_blocks;
};

}  // namespace headrace
