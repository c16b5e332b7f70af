#include "engine/sync/compact_blocks.h"

#include <algorithm>

#include "engine/base/log.h"
#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/sync/peer_fault.h"

namespace headrace {
namespace {

// Blocks between their arrival and the moment at which they are the tip: near the tip there are few.
constexpr size_t kDeliveriesMax = 16;

}  // namespace

CompactBlocks::CompactBlocks(const HeaderTree& tree, SyncPeers& peers, BlockDownload& download,
                             const TransactionSource& known)
    : tree_(tree), peers_(peers), download_(download), known_(known) {}

void CompactBlocks::OnSendCompact(const SendCompactReceived& message) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  found->second.offers_compact = true;
  found->second.wants_compact = message.wants_announcements;
}

BlockRequest* CompactBlocks::RequestOf(SyncPeer& peer, HeaderId id) {
  const auto request = std::find_if(peer.in_flight.begin(), peer.in_flight.end(),
                                    [id](const BlockRequest& one) { return one.id == id; });
  return request == peer.in_flight.end() ? nullptr : &*request;
}

void CompactBlocks::AskWhole(SyncPeer& peer, HeaderId id, std::vector<PeerCommand>& commands) {
  rebuilding_.erase({id, peer.info.id});
  // It may have come another way meanwhile, or the peer said notfound: then nobody waits for it.
  BlockRequest* const request = RequestOf(peer, id);
  if (request == nullptr) return;
  request->is_compact = false;
  asked_whole_.insert({id, peer.info.id});
  commands.push_back(SendGetData{peer.info.id, {{kInvWitnessBlock, tree_.hash(id)}}});
}

std::optional<RebuiltBlock> CompactBlocks::OnCompactBlock(const CompactBlockReceived& message, HeaderId id,
                                                          int64_t now_ns, std::vector<PeerCommand>& commands) {
  const auto found = peers_.find(message.peer);
  const Key key{id, message.peer};
  if (found == peers_.end() || rebuilding_.contains(key) || asked_whole_.contains(key)) return std::nullopt;
  SyncPeer& peer = found->second;
  asked_compactly_.erase(key);
  const BlockRequest* const request = RequestOf(peer, id);
  const bool was_asked = request != nullptr;
  const bool is_whole_on_its_way = was_asked && !request->is_compact;
  if (!was_asked) {
    if (!download_.HasPlace(peer, id)) return std::nullopt;
    // A block that others were asked for already is taken from those alone who were asked to announce: they are few.
    if (download_.is_in_flight(id) && !peer.is_compact_announcer) return std::nullopt;
  }
  CompactReconstruction rebuilt(message.block, known_);
  // It brings what is missing, and what cannot be put together: a question besides would be one more than the limit knows of.
  if (is_whole_on_its_way && (rebuilt.is_ambiguous() || !rebuilt.missing().empty())) return std::nullopt;
  if (!was_asked) download_.TakePlaceCompactly(peer, id, now_ns);
  if (rebuilt.is_ambiguous()) {
    AskWhole(peer, id, commands);
    return std::nullopt;
  }
  if (rebuilt.missing().empty()) return Finish(peer, id, rebuilt, now_ns, commands);
  if (rebuilding_.size() >= kRebuildingMax) {
    AskWhole(peer, id, commands);
    return std::nullopt;
  }
  commands.push_back(SendGetBlockTransactions{peer.info.id, {tree_.hash(id), rebuilt.missing()}});
  rebuilding_.emplace(key, std::move(rebuilt));
  return std::nullopt;
}

std::optional<RebuiltBlock> CompactBlocks::OnBlockTransactions(const BlockTransactionsReceived& message, int64_t now_ns,
                                                               std::vector<PeerCommand>& commands) {
  const HeaderId id = tree_.Find(message.answer->block);
  const auto peer = peers_.find(message.peer);
  const auto found = id == kNoHeader ? rebuilding_.end() : rebuilding_.find({id, message.peer});
  // Not asked for, or not any more.
  if (peer == peers_.end() || found == rebuilding_.end()) return std::nullopt;
  if (!found->second.Fill(message.answer)) {
    rebuilding_.erase(found);
    AnswerFault(message.peer, PeerFault::kOtherTransactions, commands);
    return std::nullopt;
  }
  const CompactReconstruction rebuilt = std::move(found->second);
  rebuilding_.erase(found);
  return Finish(peer->second, id, rebuilt, now_ns, commands);
}

std::optional<RebuiltBlock> CompactBlocks::Finish(SyncPeer& peer, HeaderId id, const CompactReconstruction& rebuilt,
                                                  int64_t now_ns, std::vector<PeerCommand>& commands) {
  const SlabRef block = rebuilt.Assemble();
  BlockColumns columns;
  bool is_it = DecodeBlock(block->bytes(), columns) == DecodeError::kNone;
  if (is_it) {
    HashTransactions(columns);
    is_it = MatchesCommitments(columns);
  }
  if (!is_it) {
    const BlockRequest* const request = RequestOf(peer, id);
    if (request != nullptr && !request->is_compact) return std::nullopt;  // the whole block is on its way
    HR_LOG(kInfo, kSync, "a compact block did not come together and is asked for whole peer=", peer.info.id,
           " height=", tree_.height(id));
    AskWhole(peer, id, commands);
    return std::nullopt;
  }
  if (!download_.OnRebuilt(peer.info.id, id, block->size(), now_ns)) return std::nullopt;
  return RebuiltBlock{id, block};
}

void CompactBlocks::OnUnwanted(PeerId peer_id, HeaderId id, std::vector<PeerCommand>& commands) {
  if (asked_compactly_.erase({id, peer_id}) == 0) return;
  const auto found = peers_.find(peer_id);
  if (found != peers_.end() && RequestOf(found->second, id) != nullptr) AskWhole(found->second, id, commands);
}

void CompactBlocks::OnArrived(PeerId peer, HeaderId id) {
  std::erase_if(rebuilding_, [id](const auto& one) { return one.first.first == id; });
  for (std::set<Key>* asked : {&asked_whole_, &asked_compactly_}) {
    std::erase_if(*asked, [id](const Key& key) { return key.first == id; });
  }
  deliveries_.emplace_back(id, peer);
  if (deliveries_.size() > kDeliveriesMax) deliveries_.pop_front();
}

// The announcer that makes room: the one whose last tip is the longest ago, but never the last that we connected to,
// whom strangers could push out otherwise.
size_t CompactBlocks::ToReplace(const SyncPeer& by) const {
  const auto is_inbound = [this](PeerId peer) { return peers_.at(peer).info.is_inbound; };
  const auto outbound =
      std::count_if(announcers_.begin(), announcers_.end(), [&](PeerId peer) { return !is_inbound(peer); });
  return by.info.is_inbound && outbound == 1 && !is_inbound(announcers_.front()) ? 1 : 0;
}

void CompactBlocks::SetAnnouncer(PeerId peer, bool is_announcer, std::vector<PeerCommand>& commands) {
  peers_.at(peer).is_compact_announcer = is_announcer;
  commands.push_back(SendCompactWish{peer, is_announcer});
}

void CompactBlocks::OnNewTip(HeaderId id, std::vector<PeerCommand>& commands) {
  const auto delivery =
      std::find_if(deliveries_.begin(), deliveries_.end(), [id](const auto& one) { return one.first == id; });
  if (delivery == deliveries_.end()) return;
  const auto found = peers_.find(delivery->second);
  if (found == peers_.end() || found->second.is_leaving || !found->second.offers_compact) return;
  const PeerId peer = found->first;
  if (const auto place = std::find(announcers_.begin(), announcers_.end(), peer); place != announcers_.end()) {
    std::rotate(place, place + 1, announcers_.end());
    return;
  }
  if (announcers_.size() == kAnnouncersMax) {
    const size_t replaced = ToReplace(found->second);
    SetAnnouncer(announcers_[replaced], false, commands);
    announcers_.erase(announcers_.begin() + static_cast<ptrdiff_t>(replaced));
  }
  announcers_.push_back(peer);
  SetAnnouncer(peer, true, commands);
}

void CompactBlocks::OnDisconnected(PeerId peer) {
  std::erase_if(rebuilding_, [peer](const auto& one) { return one.first.second == peer; });
  for (std::set<Key>* asked : {&asked_whole_, &asked_compactly_}) {
    std::erase_if(*asked, [peer](const Key& key) { return key.second == peer; });
  }
  std::erase(announcers_, peer);
}

void CompactBlocks::AskCompactly(HeaderId tip, std::span<PeerCommand> commands) {
  if (known_.transaction_count() == 0) return;
  for (PeerCommand& command : commands) {
    auto* const question = std::get_if<SendGetData>(&command);
    if (question == nullptr || question->items.size() != 1 || question->items[0].type != kInvWitnessBlock) continue;
    const HeaderId id = tree_.Find(question->items[0].hash);
    const auto peer = peers_.find(question->peer);
    if (id == kNoHeader || tree_.parent(id) != tip || peer == peers_.end() || !peer->second.offers_compact) continue;
    const Key key{id, question->peer};
    if (asked_whole_.contains(key)) continue;
    if (BlockRequest* const request = RequestOf(peer->second, id)) request->is_compact = true;
    asked_compactly_.insert(key);
    question->items[0].type = kInvCompactBlock;
  }
}

}  // namespace headrace
