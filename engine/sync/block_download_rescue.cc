// The part of BlockDownload that looks at the clock: who is silent, what is late, and who is asked for it instead.

#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "engine/sync/block_download.h"

namespace headrace {
namespace {

// What a peer may have under way in all; while it was silent, others brought as much.
constexpr uint64_t kOvertakingBlocks = 16;

}  // namespace

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

}  // namespace headrace
