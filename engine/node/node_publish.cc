// What the node says about itself: the status snapshot that other threads read.

#include <algorithm>

#include "engine/node/node.h"

namespace headrace {
namespace {

constexpr int64_t kStatusNs = 50'000'000;
constexpr int64_t kTipAgeMax_s = 24 * 60 * 60;

}  // namespace

NodeStatus Node::Status() const {
  const std::lock_guard lock(status_mutex_);
  return status_;
}

WaitReason Node::WaitingOn() const {
  const HeaderId target = tree_.best_header();
  if (pipeline_.chain().tip() == target) {
    // Nothing known but the genesis block, and nobody to ask.
    return target == kGenesisId && peers_.empty() ? WaitReason::kPeer : WaitReason::kNothing;
  }
  if (pipeline_.is_busy()) return WaitReason::kCpu;
  if (!strays_.is_done()) return WaitReason::kDisk;
  if (download_.in_flight_count() != 0 || inventory_sync_.in_flight_count() != 0) return WaitReason::kNetwork;
  return download_.any_peer_has_blocks() ? WaitReason::kDisk : WaitReason::kPeer;
}

// By transactions as far as they are known: those ahead are estimated from the blocks applied lately.
double Node::Progress() const {
  if (!strays_.is_done() && strays_.bytes_total() != 0) {
    // What the pipeline holds has been handed over and is not done yet.
    const uint64_t done = strays_.bytes_done() - std::min(strays_.bytes_done(), pipeline_.pending_bytes());
    return static_cast<double>(done) / static_cast<double>(strays_.bytes_total());
  }
  const HeaderId tip = pipeline_.chain().tip();
  const uint32_t height = tree_.height(tip);
  const uint32_t header_height = std::max(tree_.height(tree_.best_header()), height);
  if (header_height == 0) return 0;
  if (height == header_height) return 1;
  const double done = static_cast<double>(tree_.chain_transaction_count(tip));
  const uint32_t span = std::min(height, 1000u);
  if (span == 0) return 0;
  const double lately = done - static_cast<double>(tree_.chain_transaction_count(tree_.Ancestor(tip, height - span)));
  return done / (done + lately / span * (header_height - height));
}

// Over when the tip has the minimum work and is younger than a day; it does not begin again.
void Node::LookForEndOfInitialDownload() {
  const HeaderId tip = pipeline_.chain().tip();
  if (!is_initial_block_download_ || tree_.work(tip) < options_.minimum_chain_work) return;
  is_initial_block_download_ = int64_t{tree_.header(tip).time_s} < ports_.clock.UnixSeconds() - kTipAgeMax_s;
  if (!is_initial_block_download_) ports_.blocks.ExpectReads(true);
}

PeerStatus Node::StatusOf(PeerId id, const SyncPeer& peer) const {
  PeerStatus status;
  status.id = id;
  status.address = peer.info.address;
  status.is_inbound = peer.info.is_inbound;
  status.user_agent = peer.info.user_agent;
  status.start_height = peer.info.start_height;
  status.blocks_received = peer.blocks_received;
  status.block_bytes_received = peer.block_bytes_received;
  status.blocks_in_flight = static_cast<uint32_t>(peer.request_count());
  status.blocks_in_flight_max = peer.in_flight_max;
  status.blocks_served = peer.blocks_served;
  status.is_compact_announcer = peer.is_compact_announcer;
  status.wants_compact = peer.wants_compact;
  for (const BlockRequest& request : peer.in_flight) status.heights_in_flight.push_back(tree_.height(request.id));
  std::sort(status.heights_in_flight.begin(), status.heights_in_flight.end());
  if (peer.best_known) {
    status.known_header_height = tree_.height(*peer.best_known);
    status.common_block_height = tree_.height(tree_.LastCommonAncestor(*peer.best_known, pipeline_.chain().tip()));
  }
  return status;
}

void Node::PublishStatus(int64_t now_ns) {
  if (last_status_ns_ != 0 && now_ns - last_status_ns_ < kStatusNs) return;
  last_status_ns_ = now_ns;
  LookForEndOfInitialDownload();
  NodeStatus status;
  const HeaderId tip = pipeline_.chain().tip();
  const PipelineCounters& counters = pipeline_.counters();
  const CoinStoreCounters coins = ports_.coins.counters();
  status.chain = std::string(params_.name);
  status.header_height = tree_.height(tree_.best_header());
  status.resolved_height = tree_.height(pipeline_.resolved());
  status.verified_height = pipeline_.verified_height();
  status.applied_height = pipeline_.chain().height();
  status.durable_height = ports_.coins.durable().height;
  status.applied_hash = tree_.hash(tip);
  status.applied_time_s = tree_.header(tip).time_s;
  status.progress = Progress();
  status.is_initial_block_download = is_initial_block_download_;
  status.blocks_applied = counters.blocks_applied;
  status.block_bytes = counters.block_bytes;
  status.transactions = counters.transactions;
  status.inputs = counters.inputs;
  status.scripts_verified = counters.scripts_verified;
  status.scripts_skipped = counters.scripts_skipped;
  status.blocks_downloaded = blocks_downloaded_;
  status.blocks_rebuilt = blocks_rebuilt_;
  status.reorganisations = counters.reorganisations;
  status.coin_store = coins;
  status.block_memory = pipeline_.memory();
  status.blocks_in_check = pipeline_.checking_count();
  status.blocks_ready = pipeline_.ready_count();
  status.blocks_ahead = pipeline_.ahead_count();
  if (const SpanRecorder* recorder = CurrentSpanRecorder()) {
    status.span_ns = recorder->Totals();
    status.span_lengths = recorder->Lengths();
  }
  status.bytes_in_flight = pipeline_.pending_bytes();
  status.block_bytes_written = ports_.blocks.bytes_written();
  status.stored_blocks_left = strays_.blocks_left();
  status.waiting_on = WaitingOn();
  status.blocks_in_flight_max_per_peer = std::max(download_.in_flight_per_peer_max_ever(), inventory_sync_.in_flight_per_peer_max_ever());
  for (const auto& [id, peer] : peers_) status.peers.push_back(StatusOf(id, peer));
  const std::lock_guard lock(status_mutex_);
  status_ = std::move(status);
}

}  // namespace headrace
