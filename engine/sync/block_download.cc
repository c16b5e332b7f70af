#include "engine/sync/block_download.h"

#include <algorithm>

#include "engine/base/log.h"
#include "engine/sync/peer_fault.h"

namespace headrace {

namespace {

// Samples of at least a tenth of a second: blocks arrive in bursts, and it is the pipe that is measured, not one block.
constexpr int64_t kRateSampleNs = 100'000'000;

void MeasureRate(SyncPeer& peer, uint64_t size_bytes, int64_t now_ns) {
  peer.measured_bytes += size_bytes;
  const int64_t elapsed_ns = now_ns - peer.measured_since_ns;
  if (elapsed_ns < kRateSampleNs) return;
  const double rate = static_cast<double>(peer.measured_bytes) * 1e9 / static_cast<double>(elapsed_ns);
  peer.bytes_per_second = peer.bytes_per_second == 0 ? rate : peer.bytes_per_second + (rate - peer.bytes_per_second) / 4;
  peer.measured_since_ns = now_ns;
  peer.measured_bytes = 0;
}

}  // namespace

BlockDownload::BlockDownload(const HeaderTree& tree, SyncPeers& peers, const BlockDownloadOptions& options)
    : tree_(tree), peers_(peers), options_(options) {}

// The most work among what peers have shown, at least that of the best chain whose blocks are all here.
HeaderId BlockDownload::BestOffered(bool by_withholders) const {
  HeaderId best = kNoHeader;
  for (const auto& [id, peer] : peers_) {
    if (!peer.best_known || !peer.serves_blocks() || !peer.serves_witness()) continue;
    if ((peer.withholds || !peer.lacks.empty()) != by_withholders) continue;
    HeaderId offered = *peer.best_known;
    while (tree_.is_invalid(offered)) offered = tree_.parent(offered);
    if (tree_.work(offered) < tree_.work(tree_.best_candidate()) || tree_.is_complete(offered)) continue;
    const bool is_better = best == kNoHeader || tree_.work(offered) > tree_.work(best) ||
                           (tree_.work(offered) == tree_.work(best) && offered < best);
    if (is_better) best = offered;
  }
  return best;
}

HeaderId BlockDownload::Target() const {
  const HeaderId best = BestOffered(false);
  return best != kNoHeader ? best : BestOffered(true);
}

bool BlockDownload::is_better_chain_offered(HeaderId tip) const {
  const HeaderId best = BestOffered(false);
  return best != kNoHeader && tree_.work(best) > tree_.work(tip);
}

void BlockDownload::RebuildWindow() {
  window_.clear();
  const HeaderId best = Target();
  if (best == kNoHeader) return;
  const uint32_t height_end = std::min(tree_.height(best), options_.height_max);
  // The target may have moved to another branch: what is known to be there ends at the fork.
  if (tree_.height(best) + 1 < frontier_height_ || tree_.Ancestor(best, frontier_height_ - 1) != frontier_parent_) {
    frontier_parent_ = tree_.LastCommonAncestor(best, frontier_parent_);
    frontier_height_ = tree_.height(frontier_parent_) + 1;
  }
  while (frontier_height_ <= height_end) {
    const HeaderId next = tree_.Ancestor(best, frontier_height_);
    if (!tree_.has_data(next)) break;
    frontier_parent_ = next;
    ++frontier_height_;
  }
  if (frontier_height_ > height_end) return;
  const uint32_t last = std::min(height_end, frontier_height_ + options_.window_blocks - 1);
  window_.resize(last - frontier_height_ + 1);
  HeaderId id = tree_.Ancestor(best, last);
  for (size_t i = window_.size(); i-- > 0; id = tree_.parent(id)) window_[i] = id;
}

bool BlockDownload::Has(const SyncPeer& peer, HeaderId id) const {
  return peer.serves_blocks() && peer.serves_witness() && peer.best_known && !peer.lacks.contains(id) &&
         tree_.height(*peer.best_known) >= tree_.height(id) &&
         tree_.Ancestor(*peer.best_known, tree_.height(id)) == id;
}

bool BlockDownload::IsMissing(HeaderId id) const {
  return !tree_.has_data(id) && !tree_.is_invalid(id) && !arrived_.contains(id) && tree_.height(id) <= options_.height_max;
}

bool BlockDownload::HasPlace(const SyncPeer& peer, HeaderId id) const {
  if (!IsMissing(id) || !Has(peer, id) || peer.in_flight.size() >= options_.in_flight_per_peer_max) return false;
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return true;
  const std::vector<Request>& asked = found->second;
  if (std::any_of(asked.begin(), asked.end(), [&](const Request& one) { return one.peer == peer.info.id; })) return false;
  // The last place is not for strangers: two of them can announce a block and keep it.
  return asked.size() + (peer.info.is_inbound ? 1 : 0) < kParallelRequestsMax;
}

// The peer that would be done soonest: requests in flight over measured rate, an unmeasured peer counting as average. Those that
// are asked already are left out.
SyncPeer* BlockDownload::ChoosePeer(HeaderId id) {
  double rate_sum = 0;
  int measured = 0;
  for (const auto& [peer_id, peer] : peers_) {
    if (peer.bytes_per_second > 0) rate_sum += peer.bytes_per_second, ++measured;
  }
  const double average = measured == 0 ? 1 : rate_sum / measured;
  SyncPeer* chosen = nullptr;
  double chosen_cost = 0;
  for (auto& [peer_id, peer] : peers_) {
    if (!HasPlace(peer, id)) continue;
    const double rate = peer.bytes_per_second > 0 ? std::max(peer.bytes_per_second, average / 64) : average;
    const double cost = static_cast<double>(peer.in_flight.size() + 1) / rate;
    if (chosen == nullptr || cost < chosen_cost) chosen = &peer, chosen_cost = cost;
  }
  return chosen;
}

void BlockDownload::TakePlace(SyncPeer& peer, HeaderId id, int64_t now_ns) {
  if (peer.in_flight.empty()) {
    peer.last_progress_ns = now_ns;
    peer.measured_since_ns = now_ns;
    peer.measured_bytes = 0;
  }
  peer.in_flight.push_back(id);
  const auto in_flight = static_cast<uint32_t>(peer.in_flight.size());
  peer.in_flight_max = std::max(peer.in_flight_max, in_flight);
  in_flight_per_peer_max_ever_ = std::max(in_flight_per_peer_max_ever_, in_flight);
  in_flight_[id].push_back({peer.info.id, now_ns});
}

void BlockDownload::Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const bool any_room = std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    return entry.second.best_known && entry.second.in_flight.size() < options_.in_flight_per_peer_max;
  });
  if (!any_room) return;
  RebuildWindow();
  std::map<PeerId, std::vector<InventoryItem>> asked;
  double budget = static_cast<double>(options_.budget_bytes) - static_cast<double>(pending_bytes) -
                  average_block_bytes_ * static_cast<double>(in_flight_.size());
  for (size_t i = 0; i < window_.size(); ++i) {
    const HeaderId id = window_[i];
    if (tree_.has_data(id) || in_flight_.contains(id) || arrived_.contains(id)) continue;
    // The frontier is always admitted: without it nothing ever leaves memory.
    if (budget < average_block_bytes_ && i != 0) break;
    SyncPeer* peer = ChoosePeer(id);
    if (peer == nullptr) {
      if (i == 0) continue;
      break;
    }
    TakePlace(*peer, id, now_ns);
    asked[peer->info.id].push_back({kInvWitnessBlock, tree_.hash(id)});
    budget -= average_block_bytes_;
  }
  for (auto& [peer_id, items] : asked) commands.push_back(SendGetData{peer_id, std::move(items)});
}

std::optional<HeaderId> BlockDownload::OnBlock(PeerId peer_id, const Hash256& hash, uint64_t size_bytes, int64_t now_ns) {
  const auto found = peers_.find(peer_id);
  const HeaderId id = tree_.Find(hash);
  if (found == peers_.end() || id == kNoHeader) return std::nullopt;
  SyncPeer& peer = found->second;
  const auto place = std::find(peer.in_flight.begin(), peer.in_flight.end(), id);
  if (place == peer.in_flight.end()) return std::nullopt;
  // The others who were asked for it owe nothing any more: what they still send is dropped.
  if (const auto asked = in_flight_.find(id); asked != in_flight_.end()) {
    for (const Request& request : asked->second) std::erase(peers_.at(request.peer).in_flight, id);
    in_flight_.erase(asked);
  }

  MeasureRate(peer, size_bytes, now_ns);
  average_block_bytes_ += (static_cast<double>(size_bytes) - average_block_bytes_) / 8;
  peer.last_progress_ns = now_ns;
  peer.withholds = false;
  ++peer.blocks_received;
  peer.block_bytes_received += size_bytes;
  stall_timeout_ns_ = std::max(kStallTimeoutMinNs, stall_timeout_ns_ - stall_timeout_ns_ / 8);

  // It may have come another way meanwhile: from a file, or by an operator's hand.
  if (tree_.has_data(id) || !arrived_.insert(id).second) return std::nullopt;
  return id;
}

void BlockDownload::OnSettled(HeaderId id) { arrived_.erase(id); }

void BlockDownload::OnNotFound(const NotFoundReceived& message, int64_t now_ns) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  SyncPeer& peer = found->second;
  for (const InventoryItem& item : message.items) {
    const HeaderId id = tree_.Find(item.hash);
    if (id == kNoHeader || std::erase(peer.in_flight, id) == 0) continue;
    EraseRequest(message.peer, id);
    // It does not have what its headers promised: believe it only below that. What it has shown since on another branch stands:
    // a peer that reorganised says notfound for the branch that it left.
    if (id != kGenesisId && peer.best_known && tree_.IsAncestorOf(id, *peer.best_known)) peer.best_known = tree_.parent(id);
    // And do not ask at once when it sends the same headers again.
    peer.lacks[id] = now_ns + kLackingNs;
  }
}

void BlockDownload::EraseRequest(PeerId peer, HeaderId id) {
  const auto found = in_flight_.find(id);
  if (found == in_flight_.end()) return;
  std::erase_if(found->second, [&](const Request& request) { return request.peer == peer; });
  if (found->second.empty()) in_flight_.erase(found);
}

void BlockDownload::ReleaseAll(SyncPeer& peer) {
  for (HeaderId id : peer.in_flight) EraseRequest(peer.info.id, id);
  peer.in_flight.clear();
}

void BlockDownload::OnDisconnected(PeerId peer_id) {
  const auto found = peers_.find(peer_id);
  if (found != peers_.end()) ReleaseAll(found->second);
}

void BlockDownload::RescueFrontier(int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (window_.empty()) return;
  const HeaderId frontier = window_.front();
  const auto asked = in_flight_.find(frontier);
  if (asked == in_flight_.end() || now_ns - asked->second.front().requested_ns < stall_timeout_ns_) return;
  // Only a peer that delivers nothing at all holds the window back; a slow link that delivers is left alone while the
  // rest of the window still has work for the others.
  const auto holder = peers_.find(asked->second.front().peer);
  const bool window_is_used_up = std::all_of(window_.begin(), window_.end(), [&](HeaderId id) {
    return tree_.has_data(id) || in_flight_.contains(id) || arrived_.contains(id);
  });
  if (holder == peers_.end() || (!window_is_used_up && now_ns - holder->second.last_progress_ns < stall_timeout_ns_)) return;
  const bool is_asked_of_others = asked->second.size() > 1;
  SyncPeer* rescuer = is_asked_of_others ? &peers_.at(asked->second[1].peer) : ChoosePeer(frontier);
  if (rescuer == nullptr) {
    // Nobody else has it. If others offer another chain, that one is followed meanwhile.
    const bool is_idle = now_ns - holder->second.last_progress_ns >= stall_timeout_ns_;
    if (is_idle && !holder->second.withholds) {
      HR_LOG(kInfo, kSync, "peer shows headers and does not deliver their blocks peer=", holder->first,
             " height=", tree_.height(frontier));
      holder->second.withholds = true;
    }
    return;
  }
  HR_LOG(kInfo, kSync, "peer stalls the download peer=", holder->first, " height=", tree_.height(frontier),
         " timeout_s=", stall_timeout_ns_ / 1'000'000'000, " rescued_by=", rescuer->info.id);
  const PeerId stalled = holder->first;
  holder->second.is_leaving = true;
  ReleaseAll(holder->second);
  if (!is_asked_of_others) {
    TakePlace(*rescuer, frontier, now_ns);
    commands.push_back(SendGetData{rescuer->info.id, {{kInvWitnessBlock, tree_.hash(frontier)}}});
  }
  AnswerFault(stalled, PeerFault::kDownloadStalled, commands);
  stall_timeout_ns_ = std::min(kStallTimeoutMaxNs, stall_timeout_ns_ * 2);
}

// One peer alone could keep the newest block from this node for as long as it is trusted to deliver: seconds, in which others have
// it at hand.
void BlockDownload::AskInParallel(int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (!is_at_tip_ || window_.size() > kNearTipBlocks) return;
  for (const HeaderId id : window_) {
    const auto asked = in_flight_.find(id);
    if (asked == in_flight_.end() || now_ns - asked->second.back().requested_ns < kParallelRequestNs) continue;
    SyncPeer* other = ChoosePeer(id);
    if (other == nullptr) continue;
    TakePlace(*other, id, now_ns);
    commands.push_back(SendGetData{other->info.id, {{kInvWitnessBlock, tree_.hash(id)}}});
  }
}

void BlockDownload::Tick(int64_t now_ns, std::vector<PeerCommand>& commands) {
  RescueFrontier(now_ns, commands);
  AskInParallel(now_ns, commands);
  for (auto& [peer_id, peer] : peers_) {
    absl::erase_if(peer.lacks, [now_ns](const auto& lacking) { return lacking.second <= now_ns; });
    if (peer.is_leaving || peer.lacks.size() <= kLackingBlocksMax) continue;
    AnswerFault(peer_id, PeerFault::kBlocksLacking, commands);
  }
  for (auto& [peer_id, peer] : peers_) {
    if (peer.in_flight.empty() || now_ns - peer.last_progress_ns < kBlockTimeoutNs) continue;
    HR_LOG(kInfo, kSync, "no block within the timeout peer=", peer_id, " in_flight=", peer.in_flight.size());
    ReleaseAll(peer);
    AnswerFault(peer_id, PeerFault::kBlockTimeout, commands);
  }
}

bool BlockDownload::any_peer_has_blocks() const {
  return Target() != kNoHeader;
}

}  // namespace headrace
