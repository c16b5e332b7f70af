#include "engine/sync/inventory_sync.h"

#include <algorithm>
#include <utility>

#include "engine/base/limits.h"
#include "engine/base/log.h"
#include "engine/chain/header_acceptance.h"
#include "engine/chain/locator.h"
#include "engine/sync/peer_fault.h"

namespace headrace {

InventorySync::InventorySync(HeaderTree& tree, SyncPeers& peers, uint32_t in_flight_per_peer_max, uint64_t budget_bytes)
    : tree_(tree), peers_(peers), in_flight_per_peer_max_(in_flight_per_peer_max), budget_bytes_(budget_bytes) {}

void InventorySync::AskForBatch(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands) {
  asked_ = peer.info.id;
  peer.inventory.is_batch_requested = true;
  peer.inventory.is_batch_full = false;
  peer.inventory.progress_ns = now_ns;
  // One below our best header unless the peer has shown that it has it: one with the same tip answers with that tip then, and
  // can be asked for it should another's copy be no good.
  HeaderId from = tree_.best_header();
  const bool is_shown = peer.best_known && tree_.IsAncestorOf(from, *peer.best_known);
  if (from != kGenesisId && !is_shown) from = tree_.parent(from);
  commands.push_back(SendGetBlocks{peer.info.id, BuildLocator(tree_, from), Hash256()});
}

void InventorySync::EndTurn(SyncPeer& peer) {
  peer.inventory.is_batch_requested = false;
  peer.inventory.is_batch_full = false;
  peer.inventory.is_exhausted = true;
  if (asked_ == peer.info.id) asked_ = 0;
}

bool InventorySync::IsAwaited(const Hash256& hash) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    const PeerInventory& inventory = entry.second.inventory;
    return std::find(inventory.in_flight.begin(), inventory.in_flight.end(), hash) != inventory.in_flight.end() ||
           std::find(inventory.waiting.begin(), inventory.waiting.end(), hash) != inventory.waiting.end();
  });
}

bool InventorySync::IsAskedOf(PeerId peer, const Hash256& hash) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  const std::vector<Hash256>& asked = found->second.inventory.in_flight;
  return std::find(asked.begin(), asked.end(), hash) != asked.end();
}

void InventorySync::OnDisconnected(PeerId peer) {
  if (asked_ == peer) asked_ = 0;
  // What it was asked for is announced by others, who are asked for their batches anew.
  for (auto& [id, other] : peers_) other.inventory.is_exhausted = false;
}

void InventorySync::OnInventory(const InventoryReceived& message, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end() || !found->second.by_inventory) return;
  SyncPeer& peer = found->second;
  PeerInventory& inventory = peer.inventory;
  std::vector<Hash256> unknown;
  size_t blocks = 0;
  for (const InventoryItem& item : message.items) {
    if ((item.type & ~kInvWitnessFlag) != kInvBlock) continue;
    ++blocks;
    const HeaderId id = tree_.Find(item.hash);
    if (id == kNoHeader) {
      if (unknown.size() < kWaitingMax) unknown.push_back(item.hash);
    } else if (!peer.best_known || tree_.work(id) > tree_.work(*peer.best_known)) {
      peer.best_known = id;
    }
  }
  if (blocks == 0) return;
  if (const auto other = peers_.find(asked_); other != peers_.end() && asked_ != message.peer) {
    if (unknown.empty()) return;
    const PeerInventory& its = other->second.inventory;
    if (its.is_batch_full || !its.waiting.empty() || !its.in_flight.empty()) {
      // Another's turn: this one has something, and is asked when its own comes.
      inventory.is_exhausted = false;
      return;
    }
    // One that was asked and says nothing has nothing, most likely; it may say so later.
    EndTurn(other->second);
    other->second.inventory.is_exhausted = false;
  }
  const bool is_idle = inventory.waiting.empty() && inventory.in_flight.empty();
  // Behind the last block of a full batch: there is more.
  if (inventory.is_batch_full && !unknown.empty() && blocks == 1) {
    // An announcement before that is of a block that this sync will come to.
    if (is_idle) AskForBatch(peer, now_ns, commands);
    return;
  }
  if (std::exchange(inventory.is_batch_requested, false)) inventory.is_batch_full = blocks >= kMaxBlocksPerGetBlocks;
  if (unknown.empty()) {
    if (is_idle) EndTurn(peer);
    return;
  }
  asked_ = message.peer;
  inventory.progress_ns = now_ns;
  for (const Hash256& hash : unknown) {
    if (inventory.waiting.size() < kWaitingMax && !IsAwaited(hash)) inventory.waiting.push_back(hash);
  }
}

std::optional<HeaderId> InventorySync::OnBlock(const BlockReceived& message, int64_t now_ns, int64_t now_s,
                                               const ChainParams& params, std::vector<PeerCommand>& commands,
                                               absl::FunctionRef<void(HeaderId)> on_new) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end() || std::erase(found->second.inventory.in_flight, message.hash) == 0) return std::nullopt;
  SyncPeer& peer = found->second;
  PeerInventory& inventory = peer.inventory;
  inventory.progress_ns = now_ns;
  ++peer.blocks_received;
  peer.block_bytes_received += message.block->size();
  const BlockHeader header = BlockHeader::Load(message.block->bytes().data());
  const HeaderAcceptance accepted = AcceptHeader(tree_, header, params, now_s);
  if (accepted.verdict.rule == Rule::kParentUnknown) {
    inventory.waiting.clear();
    if (!inventory.in_flight.empty()) return std::nullopt;
    // An announcement can outrun us: ask for what lies between, but not for ever.
    if (++inventory.unconnecting_blocks > kUnconnectingBlocksMax) {
      AnswerFault(message.peer, PeerFault::kUnconnectingBlocks, commands);
    } else {
      AskForBatch(peer, now_ns, commands);
    }
    return std::nullopt;
  }
  if (!accepted.verdict.ok()) {
    HR_LOG(kWarning, kSync, "block with a bad header rejected peer=", message.peer, " hash=", message.hash.ToHex(),
           " reason=", accepted.verdict.RejectReason());
    const bool is_of_the_future = accepted.verdict.rule == Rule::kTimeTooNew;
    AnswerFault(message.peer, is_of_the_future ? PeerFault::kHeaderOfTheFuture : PeerFault::kInvalidHeader, commands,
                accepted.verdict.RejectReason());
    return std::nullopt;
  }
  inventory.unconnecting_blocks = 0;
  if (accepted.is_new) on_new(accepted.id);
  if (!peer.best_known || tree_.work(accepted.id) >= tree_.work(*peer.best_known)) peer.best_known = accepted.id;
  if (inventory.waiting.empty() && inventory.in_flight.empty() && !inventory.is_batch_full) EndTurn(peer);
  if (tree_.has_data(accepted.id)) return std::nullopt;
  return accepted.id;
}

void InventorySync::OnNotFound(const NotFoundReceived& message) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  PeerInventory& inventory = found->second.inventory;
  for (const InventoryItem& item : message.items) {
    if (std::erase(inventory.in_flight, item.hash) == 0) continue;
    // What stands behind it in the chain would not connect.
    inventory.waiting.clear();
    if (inventory.in_flight.empty()) EndTurn(found->second);
  }
}

void InventorySync::Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const auto found = peers_.find(asked_);
  if (found == peers_.end() || pending_bytes >= budget_bytes_) return;
  SyncPeer& peer = found->second;
  PeerInventory& inventory = peer.inventory;
  std::vector<InventoryItem> items;
  while (!inventory.waiting.empty() && peer.request_count() < in_flight_per_peer_max_) {
    const Hash256 hash = inventory.waiting.front();
    inventory.waiting.pop_front();
    if (tree_.Find(hash) != kNoHeader) continue;
    inventory.in_flight.push_back(hash);
    items.push_back({kInvWitnessBlock, hash});
  }
  if (items.empty()) return;
  if (inventory.in_flight.size() == items.size()) inventory.progress_ns = now_ns;
  const auto requests = static_cast<uint32_t>(peer.request_count());
  peer.in_flight_max = std::max(peer.in_flight_max, requests);
  in_flight_per_peer_max_ever_ = std::max(in_flight_per_peer_max_ever_, requests);
  commands.push_back(SendGetData{peer.info.id, std::move(items)});
}

void InventorySync::Tick(int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (const auto found = peers_.find(asked_); found != peers_.end()) {
    SyncPeer& peer = found->second;
    PeerInventory& inventory = peer.inventory;
    const int64_t idle_ns = now_ns - inventory.progress_ns;
    if (!inventory.in_flight.empty()) {
      if (idle_ns < kBlockTimeoutNs) return;
      peer.is_leaving = true;
      EndTurn(peer);
      AnswerFault(peer.info.id, PeerFault::kBlockTimeout, commands);
    } else if (inventory.is_batch_requested) {
      if (idle_ns < kAnswerTimeoutNs) return;
      EndTurn(peer);
    } else if (inventory.waiting.empty()) {
      if (!inventory.is_batch_full) {
        EndTurn(peer);
      } else if (idle_ns >= kContinueTimeoutNs) {
        return AskForBatch(peer, now_ns, commands);
      } else {
        return;
      }
    } else {
      return;
    }
  }
  asked_ = 0;
  for (const bool is_inbound : {false, true}) {
    for (auto& [id, peer] : peers_) {
      if (peer.info.is_inbound != is_inbound || !peer.by_inventory || peer.inventory.is_exhausted) continue;
      if (peer.serves_blocks() && peer.serves_witness()) return AskForBatch(peer, now_ns, commands);
    }
  }
}

size_t InventorySync::in_flight_count() const {
  size_t count = 0;
  for (const auto& [id, peer] : peers_) count += peer.inventory.in_flight.size();
  return count;
}

}  // namespace headrace
