#include "engine/node/node.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/span.h"
#include "engine/base/status_macros.h"
#include "engine/sync/peer_fault.h"

namespace headrace {
namespace {

constexpr size_t kEventsPerTurn = 256;
constexpr uint64_t kImportBytesPerTurn = 8 << 20;
constexpr int64_t kTickNs = 100'000'000;
constexpr int64_t kStandingTipNs = int64_t{2} * 1'000'000'000;
constexpr int64_t kLowWorkLogNs = int64_t{60} * 1'000'000'000;

PipelineOptions WithStopHeight(PipelineOptions options, uint32_t stop_at_height) {
  if (stop_at_height != 0) options.height_max = stop_at_height;
  return options;
}

BlockDownloadOptions WithStopHeight(BlockDownloadOptions options, uint32_t stop_at_height) {
  if (stop_at_height != 0) options.height_max = stop_at_height;
  return options;
}

BlockHeader GenesisHeader(const ChainParams& params) { return BlockHeader::Load(GenesisBlock(params).data()); }

}  // namespace

Node::Node(const ChainParams& params, const NodeOptions& options, const NodePorts& ports)
    : params_(params),
      options_(options),
      ports_(ports),
      tree_(GenesisHeader(params)),
      records_(tree_, ports.blocks),
      pipeline_(tree_, params, records_, ports.blocks, ports.coins, ports.executor, ports.doorbell,
                WithStopHeight(options.pipeline, options.stop_at_height)),
      header_sync_(tree_, peers_, {options.minimum_chain_work, options.header_salt}),
      download_(tree_, peers_, WithStopHeight(options.download, options.stop_at_height)),
      inventory_sync_(tree_, peers_, options.download.in_flight_per_peer_max, options.download.budget_bytes),
      serving_(tree_, pipeline_.chain(), ports.blocks, peers_),
      compact_(tree_, peers_, download_, recent_transactions_),
      compact_serving_(tree_, pipeline_.chain(), ports.blocks, ports.entropy, peers_),
      announcement_(tree_, compact_serving_, peers_),
      strays_(params, tree_, records_, ports.blocks, pipeline_),
      import_(tree_, params),
      scrub_(ports.coins, options.scrub_interval_ns),
      calls_(ports.doorbell),
      whole_set_(*this),
      facade_(*this) {
  status_.chain = std::string(params.name);
}

absl::Status Node::Start(std::span<const StrayBlock> stray) {
  ports_.blocks.ExpectReads(false);
  HR_RETURN_IF_ERROR(records_.Load());
  strays_.Start(stray);
  HR_RETURN_IF_ERROR(pipeline_.Start());
  announced_tip_ = last_tip_ = pipeline_.chain().tip();
  HR_LOG(kInfo, kNode, "the unspent set begins at height=", pipeline_.chain().height(),
         " hash=", tree_.hash(pipeline_.chain().tip()).ToHex(), " headers=", tree_.height(tree_.best_header()),
         " blocks_stored_to=", tree_.height(tree_.best_candidate()));
  ports_.peers.SetBestHeight(static_cast<int32_t>(pipeline_.chain().height()));
  if (options_.stop_at_height != 0 && pipeline_.chain().height() > options_.stop_at_height) {
    return absl::FailedPreconditionError(
        absl::StrCat("The chain is already at height ", pipeline_.chain().height(), ", above -stopatheight=",
                     options_.stop_at_height, ". Choose a higher one or a new data directory."));
  }
  reached_stop_height_ = options_.stop_at_height != 0 && pipeline_.chain().height() == options_.stop_at_height;
  PublishStatus(ports_.clock.MonotonicNs());
  return absl::OkStatus();
}

absl::StatusOr<bool> Node::Step() {
  const int64_t now_ns = ports_.clock.MonotonicNs();
  HR_ASSIGN_OR_RETURN(bool any, TakeEvents(now_ns));
  if (!reached_stop_height()) {
    HR_ASSIGN_OR_RETURN(const bool stored, strays_.Step(ports_.clock.UnixSeconds(), options_.download.budget_bytes));
    pipeline_.AwaitStoredBlocks(!strays_.is_done());
    HR_ASSIGN_OR_RETURN(const bool imported, TakeImports());
    HR_ASSIGN_OR_RETURN(const bool turned, TurnPipeline(now_ns));
    any |= stored || imported || turned;
    HR_RETURN_IF_ERROR(Download(now_ns));
  }
  any |= calls_.Step();
  HR_RETURN_IF_ERROR(facade_.failure());
  HR_RETURN_IF_ERROR(whole_set_.failure());
  HR_ASSIGN_OR_RETURN(const bool served, serving_.Step(ports_.peers, commands_));
  HR_ASSIGN_OR_RETURN(const bool served_compact, compact_serving_.Step(ports_.peers, commands_));
  any |= served || served_compact;
  HR_RETURN_IF_ERROR(scrub_.Step(now_ns, IsIdleAtTip()));
  SubmitCommands();
  PublishStatus(now_ns);
  return any;
}

bool Node::IsIdleAtTip() const {
  return !is_initial_block_download_ && pipeline_.chain().tip() == tree_.best_header() && !pipeline_.is_busy() &&
         !pipeline_.is_recovering() && strays_.is_done() && !ports_.coins.checkpoint_under_way();
}

absl::Status Node::Shutdown() {
  TurnAwayCalls();
  const absl::Status status = pipeline_.Shutdown();
  last_status_ns_ = 0;
  PublishStatus(ports_.clock.MonotonicNs());
  return status;
}

bool Node::OfferBlock(MaskedBytes&& block) {
  if (!import_.Offer(std::move(block))) return false;
  ports_.doorbell.Ring();
  return true;
}

bool Node::OfferHeader(MaskedBytes&& header) {
  if (!import_.OfferHeader(std::move(header))) return false;
  ports_.doorbell.Ring();
  return true;
}

absl::StatusOr<bool> Node::TakeEvents(int64_t now_ns) {
  events_.clear();
  // Backpressure: while the pipeline holds more than its budget, messages wait on the other side.
  if (pipeline_.pending_bytes() > 2 * options_.download.budget_bytes || pipeline_.is_flooded()) {
    download_.ForgiveSilence(now_ns);
    return false;
  }
  if (!ports_.peers.TakeEvents(events_, kEventsPerTurn)) return false;
  for (const PeerEvent& event : events_) HR_RETURN_IF_ERROR(Handle(event, now_ns));
  return true;
}

absl::Status Node::Handle(const PeerEvent& event, int64_t now_ns) {
  if (const auto* connected = std::get_if<PeerConnected>(&event)) {
    OnConnected(*connected, now_ns);
  } else if (const auto* gone = std::get_if<PeerDisconnected>(&event)) {
    download_.OnDisconnected(gone->peer);
    compact_.OnDisconnected(gone->peer);
    peers_.erase(gone->peer);
    inventory_sync_.OnDisconnected(gone->peer);
    header_sync_.OnDisconnected(gone->peer, now_ns, commands_);
  } else if (const auto* headers = std::get_if<HeadersReceived>(&event)) {
    return OnHeaders(*headers, now_ns);
  } else if (const auto* block = std::get_if<BlockReceived>(&event)) {
    return OnBlock(*block, now_ns);
  } else if (const auto* inventory = std::get_if<InventoryReceived>(&event)) {
    header_sync_.OnInventory(*inventory, now_ns, commands_);
    inventory_sync_.OnInventory(*inventory, now_ns, commands_);
  } else if (const auto* not_found = std::get_if<NotFoundReceived>(&event)) {
    download_.OnNotFound(*not_found, now_ns);
    inventory_sync_.OnNotFound(*not_found);
  } else if (const auto* get_headers = std::get_if<GetHeadersReceived>(&event)) {
    serving_.OnGetHeaders(*get_headers, commands_);
  } else if (const auto* get_blocks = std::get_if<GetBlocksReceived>(&event)) {
    serving_.OnGetBlocks(*get_blocks, commands_);
  } else if (const auto* get_data = std::get_if<GetDataReceived>(&event)) {
    OnGetData(*get_data);
  } else if (const auto* send_headers = std::get_if<SendHeadersReceived>(&event)) {
    if (const auto peer = peers_.find(send_headers->peer); peer != peers_.end()) peer->second.wants_headers = true;
  } else if (const auto* send_compact = std::get_if<SendCompactReceived>(&event)) {
    compact_.OnSendCompact(*send_compact);
  } else if (const auto* compact = std::get_if<CompactBlockReceived>(&event)) {
    return OnCompactBlock(*compact, now_ns);
  } else if (const auto* question = std::get_if<GetBlockTransactionsReceived>(&event)) {
    compact_serving_.OnGetBlockTransactions(*question);
  } else if (const auto* answer = std::get_if<BlockTransactionsReceived>(&event)) {
    OnBlockTransactions(*answer, now_ns);
  }
  return absl::OkStatus();
}

void Node::OnConnected(const PeerConnected& event, int64_t now_ns) {
  SyncPeer& peer = peers_[event.info.id];
  peer.info = event.info;
  peer.by_inventory = options_.syncs_by_inventory;
  header_sync_.OnConnected(event.info.id, now_ns, commands_);
}

absl::Status Node::OnHeaders(const HeadersReceived& event, int64_t now_ns) {
  // A peer that is asked by inventory is never asked what lies between: such a header is an announcement like an inv's.
  const auto peer = peers_.find(event.peer);
  if (peer != peers_.end() && peer->second.by_inventory && !event.headers.empty() &&
      tree_.Find(event.headers.front().previous) == kNoHeader) {
    inventory_sync_.OnInventory({event.peer, {{kInvBlock, event.headers.back().Hash()}}}, now_ns, commands_);
    return absl::OkStatus();
  }
  absl::Status status;
  header_sync_.OnHeaders(event, now_ns, ports_.clock.UnixSeconds(), params_, commands_, [&](HeaderId id) {
    if (status.ok()) status = records_.Put(id);
    import_.OnNewHeader(id);
  });
  return status;
}

void Node::OnGetData(const GetDataReceived& event) {
  GetDataReceived rest = event;
  compact_serving_.OnGetData(rest);
  serving_.OnGetData(rest);
}

absl::Status Node::OnBlock(const BlockReceived& event, int64_t now_ns) {
  absl::Status status;
  auto id = download_.OnBlock(event.peer, event.hash, event.block->size(), now_ns);
  if (!id && inventory_sync_.IsAskedOf(event.peer, event.hash)) {
    const auto on_new = [&](HeaderId header) {
      status = records_.Put(header);
      import_.OnNewHeader(header);
    };
    id = inventory_sync_.OnBlock(event, now_ns, ports_.clock.UnixSeconds(), params_, commands_, on_new);
    if (!id) return status;
    download_.OnArrived(*id);
  }
  if (!id) {
    AnswerFault(event.peer, PeerFault::kUnaskedBlock, commands_);
    return status;
  }
  ++blocks_downloaded_;
  compact_.OnArrived(event.peer, *id);
  if (pipeline_.Holds(*id) || tree_.is_invalid(*id)) {
    download_.OnSettled(*id);
    return status;
  }
  pipeline_.Submit(*id, SharedBytes::From(event.block), event.block, event.peer);
  return status;
}

// The block that everything waits for is always asked for and let in; while nothing waits for one, room decides.
bool Node::MayComeNow() const { return !pipeline_.is_fed() || pipeline_.RoomBytes(options_.download.budget_bytes) > 0; }

absl::StatusOr<bool> Node::TakeImports() {
  // A block that is in the block files already would be stored a second time.
  if (!strays_.is_done()) return false;
  bool any = false;
  BlockImport::Ready ready;
  const int64_t now_s = ports_.clock.UnixSeconds();
  // A few megabytes at a time: each block is copied, and those that are ready wait for this thread meanwhile.
  uint64_t bytes = 0;
  while (MayComeNow() && pipeline_.has_room() && bytes < kImportBytesPerTurn && import_.Take(now_s, ready)) {
    any = true;
    bytes += ready.block.size();
    if (ready.is_new_header) HR_RETURN_IF_ERROR(records_.Put(ready.id));
    if (!ready.has_block || pipeline_.Holds(ready.id)) continue;
    const Span span(SpanKind::kImport);
    const SlabRef slab = ready.block.ToSlab();
    pipeline_.Submit(ready.id, SharedBytes::From(slab), slab, 0);
  }
  return any;
}

absl::StatusOr<bool> Node::TurnPipeline(int64_t now_ns) {
  reports_.clear();
  applied_.clear();
  const HeaderId tip_before = pipeline_.chain().tip();
  HR_ASSIGN_OR_RETURN(const bool turned, pipeline_.Step(now_ns, reports_, applied_));
  for (const BlockReport& report : reports_) OnReport(report);
  HR_RETURN_IF_ERROR(KeepLostTransactions(tip_before));
  if (!applied_.empty()) {
    ports_.peers.SetBestHeight(static_cast<int32_t>(pipeline_.chain().height()));
    if (!is_initial_block_download_ && pipeline_.chain().tip() == tree_.best_header()) {
      compact_.OnNewTip(pipeline_.chain().tip(), commands_);
    }
    HR_RETURN_IF_ERROR(AnnounceTip(now_ns));
    if (options_.stop_at_height != 0 && pipeline_.chain().height() >= options_.stop_at_height) {
      HR_LOG(kInfo, kNode, "reached -stopatheight height=", pipeline_.chain().height());
      reached_stop_height_.store(true, std::memory_order_relaxed);
    }
  }
  return turned;
}

void Node::OnReport(const BlockReport& report) {
  download_.OnSettled(report.id);
  facade_.OnReport(report);
  if (report.verdict.ok() || report.source == 0) return;
  AnswerFault(report.source, PeerFault::kInvalidBlock, commands_, report.verdict.RejectReason());
}

absl::Status Node::Download(int64_t now_ns) {
  if (now_ns - last_tick_ns_ >= kTickNs) {
    last_tick_ns_ = now_ns;
    header_sync_.Tick(now_ns, commands_);
    download_.SetAtTip(!is_initial_block_download_);
    for (const auto& [id, peer] : peers_) {
      if (!peer.in_flight.empty()) download_.OnReceivedBytes(id, ports_.peers.ReceivedBytes(id), now_ns);
    }
    download_.Tick(now_ns, commands_);
    inventory_sync_.Tick(now_ns, commands_);
    HR_RETURN_IF_ERROR(AnnounceTip(now_ns));
  }
  if (!pipeline_.is_recovering() && strays_.is_done() && MayComeNow()) {
    inventory_sync_.Assign(pipeline_.pending_bytes(), now_ns, commands_);
  }
  const HeaderId best = tree_.best_header();
  if (tree_.work(best) < options_.minimum_chain_work && !options_.syncs_by_inventory) {
    const bool anything_to_say = best != kGenesisId && now_ns - last_low_work_log_ns_ > kLowWorkLogNs;
    if (!anything_to_say) return absl::OkStatus();
    last_low_work_log_ns_ = now_ns;
    HR_LOG(kWarning, kSync, "the best header chain has less than the minimum work: its blocks are not downloaded height=",
           tree_.height(best), " (see -minimumchainwork)");
    return absl::OkStatus();
  }
  if (pipeline_.is_recovering() || !strays_.is_done()) return absl::OkStatus();
  const size_t asked_before = commands_.size();
  const uint64_t budget_bytes = options_.download.budget_bytes;
  const uint64_t room = std::max(pipeline_.RoomBytes(budget_bytes), download_.BusyBytes());
  if (!pipeline_.is_fed() || room > 0) download_.Assign(budget_bytes - room, now_ns, commands_);
  if (!is_initial_block_download_) compact_.AskCompactly(pipeline_.chain().tip(), std::span(commands_).subspan(asked_before));
  return absl::OkStatus();
}

// While a better chain is offered the tip will soon be another, and nobody is told of each step of a long download. But who offers
// may not deliver, or go: a tip that stands is announced whatever is offered.
absl::Status Node::AnnounceTip(int64_t now_ns) {
  const HeaderId tip = pipeline_.chain().tip();
  if (tip != last_tip_) last_tip_ = tip, last_tip_ns_ = now_ns;
  if (tip == announced_tip_ || tip != tree_.best_candidate()) return absl::OkStatus();
  if (now_ns - last_tip_ns_ < kStandingTipNs && download_.is_better_chain_offered(tip)) return absl::OkStatus();
  announced_tip_ = tip;
  return announcement_.Announce(tip, commands_);
}

void Node::SubmitCommands() {
  if (commands_.empty()) return;
  for (const PeerCommand& command : commands_) {
    const auto* disconnect = std::get_if<Disconnect>(&command);
    if (disconnect == nullptr) continue;
    download_.OnDisconnected(disconnect->peer);
    compact_.OnDisconnected(disconnect->peer);
    if (const auto found = peers_.find(disconnect->peer); found != peers_.end()) found->second.is_leaving = true;
  }
  ports_.peers.Submit(commands_);
  commands_.clear();
}

}  // namespace headrace
