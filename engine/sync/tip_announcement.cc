#include "engine/sync/tip_announcement.h"

#include <algorithm>

#include "engine/base/status_macros.h"

namespace headrace {

TipAnnouncement::TipAnnouncement(const HeaderTree& tree, CompactServing& compact, SyncPeers& peers)
    : tree_(tree), compact_(compact), peers_(peers) {}

bool TipAnnouncement::Knows(const SyncPeer& peer, HeaderId id) const {
  return (peer.best_known && tree_.IsAncestorOf(id, *peer.best_known)) ||
         (peer.best_told && tree_.IsAncestorOf(id, *peer.best_told));
}

std::vector<BlockHeader> TipAnnouncement::Lacking(const SyncPeer& peer, HeaderId tip) const {
  std::vector<BlockHeader> headers;
  HeaderId id = tip;
  while (headers.size() < kHeadersMax && !Knows(peer, id)) {
    headers.push_back(tree_.header(id));
    // Everybody has the genesis block.
    id = tree_.parent(id);
    if (id == kGenesisId) break;
  }
  if (id != kGenesisId && !Knows(peer, id)) return {};
  std::reverse(headers.begin(), headers.end());
  return headers;
}

absl::Status TipAnnouncement::Announce(HeaderId tip, std::vector<PeerCommand>& commands) {
  for (auto& [id, peer] : peers_) {
    if (peer.is_leaving || (peer.best_known && tree_.work(*peer.best_known) >= tree_.work(tip))) continue;
    if (peer.best_told && tree_.IsAncestorOf(tip, *peer.best_told)) continue;
    const bool connects = tree_.parent(tip) == kGenesisId || Knows(peer, tree_.parent(tip));
    std::vector<BlockHeader> headers;
    if (peer.wants_compact && connects) {
      HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompactBlock> block, compact_.CompactOf(tip));
      commands.push_back(SendCompactBlock{id, std::move(block)});
    } else if (peer.wants_headers && !(headers = Lacking(peer, tip)).empty()) {
      commands.push_back(SendHeaders{id, std::move(headers)});
    } else {
      commands.push_back(SendInventory{id, {{kInvBlock, tree_.hash(tip)}}});
      // An inv tells of nothing below itself, and perhaps not even of itself: the peer will ask.
      continue;
    }
    peer.best_told = tip;
  }
  return absl::OkStatus();
}

}  // namespace headrace
