#include "engine/sync/block_download.h"

#include <algorithm>
#include <utility>

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

// One that is being sent and one behind it keep a pipe full.
constexpr uint32_t kRequestsMin = 2;

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
  return !tree_.has_data(id) && !tree_.is_invalid(id) && !arrived_.contains(id) &&
         tree_.height(id) <= options_.height_max;
}

bool BlockDownload::MayJoin(const SyncPeer& peer, HeaderId id) const {
  const auto asked = in_flight_.find(id);
  // The last place is not for strangers: two of them can announce a block and keep it.
  return asked == in_flight_.end() || asked->second.size() + (peer.info.is_inbound ? 1 : 0) < kParallelRequestsMax;
}

bool BlockDownload::HasPlace(const SyncPeer& peer, HeaderId id) const {
  return IsMissing(id) && Has(peer, id) && peer.request_count() < options_.in_flight_per_peer_max &&
         FindRequest(peer, id) == peer.in_flight.end() && MayJoin(peer, id);
}

void BlockDownload::MeasureAverageRate() {
  double rate_sum = 0;
  int measured = 0;
  for (const auto& [peer_id, peer] : peers_) {
    if (peer.bytes_per_second > 0) rate_sum += peer.bytes_per_second, ++measured;
  }
  average_rate_ = measured == 0 ? 1'000'000 : rate_sum / measured;
}

double BlockDownload::SumOfRates() const {
  double sum = 0;
  for (const auto& [peer_id, peer] : peers_) {
    if (!peer.best_known || peer.is_doubted || !peer.serves_blocks()) continue;
    sum += peer.bytes_per_second > 0 ? peer.bytes_per_second : average_rate_;
  }
  return std::max(sum, 1.0);
}

uint64_t BlockDownload::BusyBytes() const {
  const auto measured = std::count_if(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second.bytes_per_second > 0; });
  if (measured < 2) return 0;
  const double bytes = SumOfRates();
  return bytes <= static_cast<double>(options_.budget_bytes) / 2 ? static_cast<uint64_t>(bytes) : 0;
}

// An unmeasured peer counts as average.
int64_t BlockDownload::ExpectedNs(const SyncPeer& peer, size_t blocks_before) const {
  const double rate = peer.bytes_per_second > 0 ? std::max(peer.bytes_per_second, average_rate_ / 1024) : average_rate_;
  const double block_ns = average_block_bytes_ / rate * 1e9;
  const double wait_ns =
      std::max(static_cast<double>(peer.round_trip_ns), block_ns * static_cast<double>(blocks_before));
  return static_cast<int64_t>(wait_ns + block_ns);
}

int64_t BlockDownload::ExpectedNs(const SyncPeer& peer) const {
  return ExpectedNs(peer, OwedBefore(peer, peer.in_flight.end()));
}

bool BlockDownload::IsFasterElsewhere(const SyncPeer& peer, HeaderId id) const {
  const int64_t expected_ns = ExpectedNs(peer);
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const SyncPeer& other = entry.second;
    return !other.is_doubted && !HasRoom(other) && 2 * ExpectedNs(other) < expected_ns && Has(other, id);
  });
}

uint32_t BlockDownload::RequestsOf(const SyncPeer& peer) const {
  if (peer.in_flight_target != 0) return std::min(peer.in_flight_target, options_.in_flight_per_peer_max);
  const auto first = static_cast<uint32_t>(std::max(kFirstBytes / average_block_bytes_, double{kRequestsMin}));
  return std::min(first, options_.in_flight_per_peer_max);
}

void BlockDownload::Hear(SyncPeer& peer, int64_t now_ns) {
  peer.heard_ns = now_ns;
  peer.blocks_when_heard = blocks_received_;
}

void BlockDownload::MeasureRoundTrip(SyncPeer& peer, int64_t now_ns) {
  if (peer.first_asked_ns == 0) return;
  const int64_t round_trip_ns = now_ns - std::exchange(peer.first_asked_ns, 0);
  if (peer.round_trip_ns == 0 || round_trip_ns < peer.round_trip_ns) peer.round_trip_ns = round_trip_ns;
}

void BlockDownload::MeasureAnswer(SyncPeer& peer, int64_t answer_ns) {
  if (peer.in_flight_target == 0) peer.in_flight_target = RequestsOf(peer);
  const int64_t answer_max_ns = std::max(kAnswerNs, 2 * peer.round_trip_ns);
  if (answer_ns <= answer_max_ns) {
    peer.in_flight_target = std::min(peer.in_flight_target + 1, options_.in_flight_per_peer_max);
  } else if (answer_ns > 2 * answer_max_ns && peer.in_flight_target > kRequestsMin) {
    --peer.in_flight_target;
  }
}

SyncPeer* BlockDownload::ChoosePeer(HeaderId id, bool doubted, Room room) {
  SyncPeer* chosen = nullptr;
  int64_t chosen_ns = 0;
  for (auto& [peer_id, peer] : peers_) {
    const uint32_t requests_max = room == Room::kOfLimit ? options_.in_flight_per_peer_max : RequestsOf(peer);
    if (peer.is_doubted != doubted || peer.request_count() >= requests_max || !Has(peer, id)) continue;
    if (FindRequest(peer, id) != peer.in_flight.end() || (IsNearTip() && !MayJoin(peer, id))) continue;
    const int64_t expected_ns = ExpectedNs(peer);
    if (chosen == nullptr || expected_ns < chosen_ns) chosen = &peer, chosen_ns = expected_ns;
  }
  return chosen;
}

void BlockDownload::Ask(SyncPeer& peer, HeaderId id, int64_t now_ns) {
  if (peer.in_flight.empty()) {
    peer.last_progress_ns = now_ns;
    Hear(peer, now_ns);
    peer.first_asked_ns = now_ns;
    peer.measured_since_ns = now_ns;
    peer.measured_bytes = 0;
  }
  peer.in_flight.push_back({.id = id, .requested_ns = now_ns, .expected_ns = now_ns + ExpectedNs(peer)});
  const auto in_flight = static_cast<uint32_t>(peer.request_count());
  peer.in_flight_max = std::max(peer.in_flight_max, in_flight);
  in_flight_per_peer_max_ever_ = std::max(in_flight_per_peer_max_ever_, in_flight);
  in_flight_[id].push_back(peer.info.id);
}

void BlockDownload::TakePlaceCompactly(SyncPeer& peer, HeaderId id, int64_t now_ns) {
  Ask(peer, id, now_ns);
  peer.in_flight.back().is_compact = true;
}

bool BlockDownload::IsUnderWay(HeaderId id, int64_t now_ns) const {
  const auto asked = in_flight_.find(id);
  if (asked == in_flight_.end()) return false;
  return std::any_of(asked->second.begin(), asked->second.end(), [&](PeerId peer_id) {
    const SyncPeer& peer = peers_.at(peer_id);
    const auto request = FindRequest(peer, id);
    const bool is_left_out = request->overtaken_ns != 0 && now_ns - request->overtaken_ns >= kFrontierPatienceNs;
    return !peer.is_doubted && !is_left_out && now_ns - request->expected_ns < kBlockTimeoutNs;
  });
}

// After a restart the next blocks are likely as large as the last ones.
void BlockDownload::GuessBlockSize() {
  if (has_seen_sizes_) return;
  const BlockPosition& last = tree_.data(tree_.best_candidate());
  if (last.exists()) average_block_bytes_ = std::max(1.0, static_cast<double>(last.size));
}

void BlockDownload::Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const bool any_doubted =
      std::any_of(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second.is_doubted; });
  const bool any_room = std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const SyncPeer& peer = entry.second;
    const bool has_room = HasRoom(peer) || (any_doubted && peer.request_count() < options_.in_flight_per_peer_max);
    return peer.best_known && !peer.is_doubted && has_room;
  });
  if (!any_room) return;
  GuessBlockSize();
  MeasureAverageRate();
  RebuildWindow();
  std::map<PeerId, std::vector<InventoryItem>> asked;
  const auto ask = [&](SyncPeer& peer, HeaderId id) {
    Ask(peer, id, now_ns);
    asked[peer.info.id].push_back({kInvWitnessBlock, tree_.hash(id)});
  };
  // How long the frontier takes from one block to the next, when all lines are full.
  const double block_ns = average_block_bytes_ / SumOfRates() * 1e9;
  double until_needed_ns = 0;
  std::map<PeerId, HeaderId> left;
  double budget = static_cast<double>(options_.budget_bytes) - static_cast<double>(pending_bytes) -
                  average_block_bytes_ * static_cast<double>(in_flight_.size());
  for (size_t i = 0; i < window_.size(); ++i) {
    const HeaderId id = window_[i];
    if (tree_.has_data(id) || arrived_.contains(id)) continue;
    until_needed_ns += block_ns;
    if (IsUnderWay(id, now_ns)) continue;
    const bool is_asked_again = in_flight_.contains(id);
    // The frontier is always admitted: without it nothing ever leaves memory. What was asked for once is in the budget
    // already.
    if (budget < average_block_bytes_ && i != 0 && !is_asked_again) break;
    SyncPeer* peer = ChoosePeer(id, false, is_asked_again ? Room::kOfLimit : Room::kOwn);
    if (peer == nullptr) {
      if (i == 0 || is_asked_again) continue;
      break;
    }
    const bool is_in_time = static_cast<double>(ExpectedNs(*peer)) <= until_needed_ns;
    // Whoever hiccups may go on: of what it owes only that is asked again which would be late otherwise.
    if (is_asked_again && is_in_time && i != 0) continue;
    if (!is_asked_again && !is_in_time && IsFasterElsewhere(*peer, id)) {
      left[peer->info.id] = id;
      continue;
    }
    ask(*peer, id);
    if (!is_asked_again) budget -= average_block_bytes_;
  }
  // Nothing within reach is far enough up for it: the highest then, rather than an empty line.
  for (const auto& [peer_id, id] : left) {
    SyncPeer& peer = peers_.at(peer_id);
    if (HasRoom(peer) && !in_flight_.contains(id)) ask(peer, id);
  }
  for (auto& [peer_id, items] : asked) commands.push_back(SendGetData{peer_id, std::move(items)});
}

// Whoever else was asked is not waited for any more. A whole copy is on its way all the same, and uses its line until it is
// here; of one by compact blocks the rest is not asked for.
void BlockDownload::OnCame(HeaderId id) {
  const auto asked = in_flight_.find(id);
  if (asked == in_flight_.end()) return;
  for (const PeerId other : asked->second) {
    std::erase_if(peers_.at(other).in_flight,
                  [id](const BlockRequest& request) { return request.id == id && request.is_compact; });
  }
  in_flight_.erase(asked);
}

std::optional<HeaderId> BlockDownload::OnBlock(PeerId peer_id, const Hash256& hash, uint64_t size_bytes, int64_t now_ns) {
  const auto found = peers_.find(peer_id);
  const HeaderId id = tree_.Find(hash);
  if (found == peers_.end() || id == kNoHeader) return std::nullopt;
  SyncPeer& peer = found->second;
  const auto request = FindRequest(peer, id);
  if (request == peer.in_flight.end()) return std::nullopt;
  MeasureRoundTrip(peer, now_ns);
  MeasureAnswer(peer, now_ns - request->requested_ns);
  MeasureRate(peer, size_bytes, now_ns);
  EndRequest(peer, request, now_ns);
  return Take(peer, id, size_bytes, now_ns);
}

// Most of it was here before: it says nothing about the line.
std::optional<HeaderId> BlockDownload::OnRebuilt(PeerId peer_id, HeaderId id, uint64_t size_bytes, int64_t now_ns) {
  const auto found = peers_.find(peer_id);
  if (found == peers_.end()) return std::nullopt;
  SyncPeer& peer = found->second;
  const auto request = FindRequest(peer, id);
  if (request == peer.in_flight.end()) return std::nullopt;
  if (request->is_compact) EndRequest(peer, request, now_ns);
  return Take(peer, id, size_bytes, now_ns);
}

void BlockDownload::EndRequest(SyncPeer& peer, std::vector<BlockRequest>::iterator request, int64_t now_ns) {
  for (auto earlier = peer.in_flight.begin(); earlier != request; ++earlier) {
    if (earlier->overtaken_ns == 0) earlier->overtaken_ns = now_ns;
  }
  peer.in_flight.erase(request);
}

std::optional<HeaderId> BlockDownload::Take(SyncPeer& peer, HeaderId id, uint64_t size_bytes, int64_t now_ns) {
  OnCame(id);
  has_seen_sizes_ = true;
  average_block_bytes_ += (static_cast<double>(size_bytes) - average_block_bytes_) / 8;
  peer.last_progress_ns = now_ns;
  ++blocks_received_;
  Hear(peer, now_ns);
  peer.withholds = false;
  ++peer.blocks_received;
  peer.block_bytes_received += size_bytes;
  stall_timeout_ns_ = std::max(kStallTimeoutMinNs, stall_timeout_ns_ - stall_timeout_ns_ / 8);

  // The same block may have been asked of two peers, or have come from a file or by an operator's hand: the second copy
  // is dropped.
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
    const auto request = FindRequest(peer, id);
    if (id == kNoHeader || request == peer.in_flight.end()) continue;
    peer.in_flight.erase(request);
    EraseRequest(message.peer, id);
    // It does not have what its headers promised: believe it only below that. What it has shown since on another branch stands:
    // a peer that reorganised says notfound for the branch that it left.
    if (id != kGenesisId && peer.best_known && tree_.IsAncestorOf(id, *peer.best_known)) peer.best_known = tree_.parent(id);
    // And do not ask at once when it sends the same headers again.
    peer.lacks[id] = now_ns + kLackingNs;
  }
}

void BlockDownload::EraseRequest(PeerId peer, HeaderId id) {
  const auto asked = in_flight_.find(id);
  if (asked == in_flight_.end()) return;
  std::erase(asked->second, peer);
  if (asked->second.empty()) in_flight_.erase(asked);
}

void BlockDownload::ReleaseAll(SyncPeer& peer) {
  for (const BlockRequest& request : peer.in_flight) EraseRequest(peer.info.id, request.id);
  peer.in_flight.clear();
  peer.is_doubted = false;
  peer.holds_window = false;
}

void BlockDownload::SendAway(SyncPeer& peer, PeerFault fault, std::vector<PeerCommand>& commands) {
  ReleaseAll(peer);
  peer.is_leaving = true;
  AnswerFault(peer.info.id, fault, commands);
}

void BlockDownload::OnDisconnected(PeerId peer_id) {
  const auto found = peers_.find(peer_id);
  if (found != peers_.end()) ReleaseAll(found->second);
}

bool BlockDownload::any_peer_has_blocks() const {
  return Target() != kNoHeader;
}

}  // namespace headrace
