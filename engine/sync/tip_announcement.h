// How each peer is told of a new tip: by a compact block when it asked for that, by headers when it asked for those, by
// its hash otherwise. (BIP152 high-bandwidth mode, BIP130)
//
// BIP152 allows a compact block to go out once header and proof of work are checked. Here nothing is announced that is
// not applied: a bad block would cost every peer its reconstruction, and this node a place among their fast peers, for
// the milliseconds that the scripts of one block take.
//
// Engine thread. Costs a compact block where somebody wants one, and a walk of at most kHeadersMax headers a peer.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/sync/compact_serving.h"

namespace headrace {

class TipAnnouncement {
 public:
  // A peer that lacks more than so many headers is told of the tip alone, and asks for what it needs. (The field's
  // MAX_BLOCKS_TO_ANNOUNCE.)
  static constexpr size_t kHeadersMax = 8;

  TipAnnouncement(const HeaderTree& tree, CompactServing& compact, SyncPeers& peers);

  // Tells every peer that has not shown to know of as much work. `tip` is applied. A failing disk is a Status.
  absl::Status Announce(HeaderId tip, std::vector<PeerCommand>& commands);

 private:
  bool Knows(const SyncPeer& peer, HeaderId id) const;
  // The headers from what the peer knows up to `tip`; none when it lacks too many.
  std::vector<BlockHeader> Lacking(const SyncPeer& peer, HeaderId tip) const;

  const HeaderTree& tree_;
  CompactServing& compact_;
  SyncPeers& peers_;
};

}  // namespace headrace
