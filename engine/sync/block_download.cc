#include "engine/sync/block_download.h"

#include <algorithm>
#include <utility>

#include "engine/base/log.h"

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

// How many blocks a peer sends before one that was asked of it: what it seems to have left out is not waited for.
template <typename Request>
size_t OwedBefore(const SyncPeer& peer, Request request) {
  return static_cast<size_t>(std::count_if(peer.in_flight.begin(), std::vector<BlockRequest>::const_iterator(request),
                                           [](const BlockRequest& owed) { return owed.overtaken_ns == 0; }));
}

// What a peer may have under way in all; while it was silent, others brought as much.
constexpr uint64_t kOvertakingBlocks = 16;

template <typename Peer>
auto FindRequest(Peer& peer, HeaderId id) {
  return std::find_if(peer.in_flight.begin(), peer.in_flight.end(),
                      [id](const BlockRequest& request) { return request.id == id; });
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

void BlockDownload::OnReceivedBytes(PeerId peer_id, uint64_t received_bytes, int64_t now_ns) {
  const auto found = peers_.find(peer_id);
  if (found == peers_.end()) return;
  SyncPeer& peer = found->second;
  const int64_t elapsed_ns = now_ns - peer.received_bytes_ns;
  if (elapsed_ns <= 0) return;
  const double in_pace_time = static_cast<double>(received_bytes - peer.received_bytes) *
                              (static_cast<double>(kPaceNs) / static_cast<double>(elapsed_ns));
  if (in_pace_time >= std::max(average_block_bytes_, kPaceBytesMin)) {
    MeasureRoundTrip(peer, now_ns);
    Hear(peer, now_ns);
  }
  peer.received_bytes = received_bytes;
  peer.received_bytes_ns = now_ns;
}

void BlockDownload::ForgiveSilence(int64_t now_ns) {
  for (auto& [peer_id, peer] : peers_) {
    Hear(peer, now_ns);
    peer.last_progress_ns = now_ns;
    for (BlockRequest& request : peer.in_flight) request.expected_ns = std::max(request.expected_ns, now_ns);
  }
}

void BlockDownload::LookForSilence(int64_t now_ns) {
  for (auto& [peer_id, peer] : peers_) {
    const int64_t doubt_ns = std::clamp(2 * peer.round_trip_ns, kDoubtNs, stall_timeout_ns_);
    peer.is_doubted = !peer.in_flight.empty() && now_ns - peer.heard_ns >= doubt_ns;
    const bool has_frontier = !window_.empty() && FindRequest(peer, window_.front()) != peer.in_flight.end();
    const bool is_overtaken = blocks_received_ - peer.blocks_when_heard >= kOvertakingBlocks;
    peer.holds_window = peer.is_doubted && (peer.holds_window || has_frontier || is_overtaken);
  }
}

void BlockDownload::AskAlso(SyncPeer& peer, HeaderId id, int64_t now_ns, std::vector<PeerCommand>& commands) {
  Ask(peer, id, now_ns);
  commands.push_back(SendGetData{peer.info.id, {{kInvWitnessBlock, tree_.hash(id)}}});
}

// Asks somebody else as well for the lowest missing block, when that is worth it.
void BlockDownload::RescueFrontier(int64_t now_ns, std::vector<PeerCommand>& commands) {
  const HeaderId frontier = window_.empty() ? kNoHeader : window_.front();
  if (frontier != waited_for_) waited_for_ = frontier, waited_since_ns_ = now_ns;
  const auto asked = in_flight_.find(frontier);
  if (asked == in_flight_.end() || now_ns - waited_since_ns_ < kFrontierPatienceNs) return;
  const SyncPeer& holder = peers_.at(asked->second.back());
  const auto request = FindRequest(holder, frontier);
  SyncPeer* rescuer = ChoosePeer(frontier, false, Room::kOfLimit);
  if (rescuer == nullptr) return;
  const int64_t patience_ns = std::max(kFrontierPatienceNs, request->expected_ns - request->requested_ns);
  const bool is_overdue = now_ns - request->expected_ns >= patience_ns;
  // The rest of what the holder owes up to here, by its rate; its last block counts for what has come since.
  const int64_t holder_ns = ExpectedNs(holder, OwedBefore(holder, request)) - (now_ns - holder.last_progress_ns);
  const int64_t rescuer_ns = ExpectedNs(*rescuer);
  if (!is_overdue && holder_ns < 2 * rescuer_ns + kFrontierPatienceNs) return;
  HR_LOG(kDebug, kSync, "the lowest missing block is asked of a second peer height=", tree_.height(frontier),
         " peer=", holder.info.id, " second=", rescuer->info.id);
  AskAlso(*rescuer, frontier, now_ns, commands);
}

// One peer alone could keep the newest block from this node for as long as it is trusted to deliver: seconds, in which
// others have it at hand.
void BlockDownload::AskInParallel(int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (!IsNearTip()) return;
  for (const HeaderId id : window_) {
    const auto asked = in_flight_.find(id);
    if (asked == in_flight_.end()) continue;
    const auto last = FindRequest(std::as_const(peers_).at(asked->second.back()), id);
    if (now_ns - last->requested_ns < kParallelRequestNs) continue;
    SyncPeer* other = ChoosePeer(id, false, Room::kOfLimit);
    if (other != nullptr) AskAlso(*other, id, now_ns, commands);
  }
}

// Doubted peers that held the window back, or were silent while others brought what was asked of them, have had their
// time.
void BlockDownload::ReplaceStalled(int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (window_.empty()) return;
  const HeaderId frontier = window_.front();
  for (auto& [peer_id, peer] : peers_) {
    if (!peer.holds_window || peer.is_leaving || now_ns - peer.heard_ns < stall_timeout_ns_) continue;
    const auto asked = in_flight_.find(frontier);
    // Whoever was asked besides takes over, and has its own time.
    const bool has_it_alone =
        asked != in_flight_.end() && asked->second.size() == 1 && asked->second.front() == peer_id;
    if (has_it_alone) {
      SyncPeer* rescuer = ChoosePeer(frontier, false, Room::kOfLimit);
      if (rescuer == nullptr) rescuer = ChoosePeer(frontier, true, Room::kOfLimit);
      if (rescuer == nullptr) {
        // Nobody else has it. If others offer another chain, that one is followed meanwhile.
        if (!peer.withholds) {
          HR_LOG(kInfo, kSync, "peer shows headers and does not deliver their blocks peer=", peer_id,
                 " height=", tree_.height(frontier));
        }
        peer.withholds = true;
        continue;
      }
      AskAlso(*rescuer, frontier, now_ns, commands);
    }
    HR_LOG(kInfo, kSync, "peer stalls the download peer=", peer_id, " height=", tree_.height(frontier),
           " timeout_s=", stall_timeout_ns_ / 1'000'000'000);
    SendAway(peer, PeerFault::kDownloadStalled, commands);
    stall_timeout_ns_ = std::min(kStallTimeoutMaxNs, stall_timeout_ns_ * 2);
  }
}

void BlockDownload::ReplaceIdle(int64_t now_ns, std::vector<PeerCommand>& commands) {
  for (auto& [peer_id, peer] : peers_) {
    if (peer.in_flight.empty() || now_ns - peer.last_progress_ns < kBlockTimeoutNs) continue;
    HR_LOG(kInfo, kSync, "no block within the timeout peer=", peer_id, " in_flight=", peer.in_flight.size());
    SendAway(peer, PeerFault::kBlockTimeout, commands);
  }
}

void BlockDownload::Tick(int64_t now_ns, std::vector<PeerCommand>& commands) {
  MeasureAverageRate();
  RebuildWindow();
  LookForSilence(now_ns);
  RescueFrontier(now_ns, commands);
  AskInParallel(now_ns, commands);
  ReplaceStalled(now_ns, commands);
  for (auto& [peer_id, peer] : peers_) {
    absl::erase_if(peer.lacks, [now_ns](const auto& lacking) { return lacking.second <= now_ns; });
    if (peer.is_leaving || peer.lacks.size() <= kLackingBlocksMax) continue;
    SendAway(peer, PeerFault::kBlocksLacking, commands);
  }
  ReplaceIdle(now_ns, commands);
}

bool BlockDownload::any_peer_has_blocks() const {
  return Target() != kNoHeader;
}

}  // namespace headrace
