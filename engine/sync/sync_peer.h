// What synchronisation knows about a peer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/chain/header_tree.h"
#include "engine/ports/peer_gateway.h"
#include "engine/sync/block_wishes.h"

namespace headrace {

// A block asked of a peer and not come yet.
struct BlockRequest {
  HeaderId id = kNoHeader;
  int64_t requested_ns = 0;
  int64_t expected_ns = 0;   // when it should be here, by what was known of the peer then
  int64_t overtaken_ns = 0;  // when a later request was answered first; 0: not yet
  bool is_compact = false;   // it is to come as a compact block, and its transactions as far as they are asked for
};

// What a peer has told of its blocks by `inv`, where that is how it is synchronised with (inventory_sync.h).
struct PeerInventory {
  bool is_batch_requested = false;  // getblocks was sent, and no inv has come
  bool is_batch_full = false;       // the last batch had as many as fit: more will follow
  bool is_exhausted = false;        // it has told everything
  int64_t progress_ns = 0;          // last question, announcement or block
  std::deque<Hash256> waiting;      // told, and not asked for yet
  std::vector<Hash256> in_flight;
  uint32_t unconnecting_blocks = 0;
};

struct SyncPeer {
  PeerInfo info;
  bool is_leaving = false;  // a disconnect was asked for: nothing more is asked of it

  // Headers. The best header that the peer has shown to have; a block is asked of a peer only below it.
  std::optional<HeaderId> best_known;
  bool headers_requested = false;
  int64_t headers_requested_ns = 0;
  bool headers_exhausted = false;  // its last answer was short: it has shown everything
  uint32_t asked_lower = 0;        // it had nothing above our best header, and was asked so often what it has below it
  uint32_t unconnecting_headers = 0;
  Hash256 last_unconnecting;  // the last header of such a message
  // It is asked for blocks by inventory, and never for headers.
  bool by_inventory = false;
  PeerInventory inventory;
  // It showed headers and does not deliver their blocks, which nobody else has: its chain is followed only when there is no
  // other. Ends with the next block from it.
  bool withholds = false;
  // Blocks that it showed and then said it does not have, and when it may be asked again: it may have left their branch and
  // come back.
  absl::flat_hash_map<HeaderId, int64_t> lacks;

  // Blocks. Requests in the order in which they were made, which is the order in which nearly everybody answers.
  std::vector<BlockRequest> in_flight;
  uint32_t in_flight_max = 0;
  uint32_t in_flight_target = 0;    // how many keep its pipe full and its queue short; 0 until its first block
  int64_t round_trip_ns = 0;        // from a request to the first of its bytes, at best; 0 until known
  int64_t first_asked_ns = 0;       // the request with which it was woken, until bytes come
  int64_t last_progress_ns = 0;     // last block, or first request after none was in flight
  // The last moment at which it sent at a pace that leads anywhere. Silent for a while, it is doubted: what was asked
  // of it is asked elsewhere as well, and nothing more of it.
  int64_t heard_ns = 0;
  bool is_doubted = false;
  bool holds_window = false;       // the frontier was among its requests while it was doubted
  uint64_t blocks_when_heard = 0;  // how many blocks had come from everybody when it was heard last
  uint64_t received_bytes = 0;     // of its connection, and when that was looked at
  int64_t received_bytes_ns = 0;
  double bytes_per_second = 0;      // moving average; 0 until measured
  int64_t measured_since_ns = 0;    // what came since then is the next sample
  uint64_t measured_bytes = 0;
  uint64_t blocks_received = 0;
  uint64_t block_bytes_received = 0;

  // Announcing. The best header or block that it was sent, and how it wants to be told of new blocks.
  std::optional<HeaderId> best_told;
  bool wants_headers = false;             // BIP130
  bool offers_compact = false;            // it speaks of compact blocks, version 2 (BIP152)
  bool wants_compact = false;             // by them, at once: we are one of its high-bandwidth peers
  bool is_compact_announcer = false;      // it is one of ours

  // Serving.
  std::deque<HeaderId> wanted_compact;                       // new blocks that it wants as compact blocks
  std::deque<BlockTransactionsRequest> wanted_transactions;  // its getblocktxn, not yet answered
  BlockWishes wanted;  // its getdata, not yet answered
  Hash256 continue_hash;             // when this block is asked for, an inv of our tip makes the peer go on (getblocks)
  uint64_t blocks_served = 0;
  int64_t serving_credit = 0;        // bytes that it may still be sent in its turn; negative when its last block was larger

  // It was sent the block: it has no need to be told of it, and can put the next one together.
  void WasSent(const HeaderTree& tree, HeaderId id) {
    if (!best_told || !tree.IsAncestorOf(id, *best_told)) best_told = id;
  }

  // Blocks asked of it and not come, however they were found.
  size_t request_count() const { return in_flight.size() + inventory.in_flight.size(); }
  bool serves_blocks() const { return !is_leaving && (info.services & kNodeNetwork) != 0; }
  bool serves_witness() const { return (info.services & kNodeWitness) != 0; }
};

// What was asked of the peer for this block, or the end.
template <typename Peer>
auto FindRequest(Peer& peer, HeaderId id) {
  return std::find_if(peer.in_flight.begin(), peer.in_flight.end(),
                      [id](const BlockRequest& request) { return request.id == id; });
}

// How many blocks a peer sends before one that was asked of it: what it seems to have left out is not waited for.
inline size_t OwedBefore(const SyncPeer& peer, std::vector<BlockRequest>::const_iterator request) {
  return static_cast<size_t>(std::count_if(peer.in_flight.begin(), request,
                                           [](const BlockRequest& owed) { return owed.overtaken_ns == 0; }));
}

// Ordered, because the order of peers decides who is asked first.
using SyncPeers = std::map<PeerId, SyncPeer>;

}  // namespace headrace
