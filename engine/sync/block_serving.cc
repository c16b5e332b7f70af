#include "engine/sync/block_serving.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/base/limits.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/chain/locator.h"
#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/encode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/sync/peer_fault.h"

namespace headrace {

BlockServing::BlockServing(const HeaderTree& tree, const ActiveChain& chain, const BlockStore& blocks, SyncPeers& peers)
    : tree_(tree), chain_(chain), blocks_(blocks), peers_(peers) {}

bool BlockServing::IsServed(HeaderId id) const {
  if (chain_.Contains(id)) return true;
  // An undo record is written when a block is applied, so this one passed every rule.
  if (tree_.is_invalid(id) || !tree_.undo(id).exists()) return false;
  const HeaderId best = tree_.best_header();
  return int64_t{tree_.header(best).time_s} - tree_.header(id).time_s < kStaleBlockAgeMax_s &&
         tree_.height(best) < tree_.height(id) + kStaleBlockDepthMax;
}

bool BlockServing::IsHistory(HeaderId id) const {
  return int64_t{tree_.header(tree_.best_header()).time_s} - tree_.header(id).time_s > kHistoryAge_s;
}

void BlockServing::OnGetHeaders(const GetHeadersReceived& message, std::vector<PeerCommand>& commands) {
  std::vector<BlockHeader> headers;
  if (message.locator.empty()) {
    // No locator: the peer wants the one header that it names.
    const HeaderId id = tree_.Find(message.stop);
    if (id == kNoHeader || !IsServed(id)) return;
    headers.push_back(tree_.header(id));
  } else {
    const uint32_t fork_height = tree_.height(FindLocatorFork(tree_, chain_, message.locator));
    for (uint32_t h = fork_height + 1; h <= chain_.height() && headers.size() < kMaxHeadersPerMessage; ++h) {
      headers.push_back(tree_.header(chain_.at(h)));
      if (tree_.hash(chain_.at(h)) == message.stop) break;
    }
  }
  // What it was told of once need not be announced to it.
  if (const auto found = peers_.find(message.peer); found != peers_.end() && !message.locator.empty()) {
    found->second.best_told = headers.empty() ? chain_.tip() : tree_.Find(headers.back().Hash());
  }
  commands.push_back(SendHeaders{message.peer, std::move(headers)});
}

void BlockServing::OnGetBlocks(const GetBlocksReceived& message, std::vector<PeerCommand>& commands) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  std::vector<InventoryItem> items;
  const uint32_t fork_height = tree_.height(FindLocatorFork(tree_, chain_, message.locator));
  for (uint32_t h = fork_height + 1; h <= chain_.height(); ++h) {
    const Hash256& hash = tree_.hash(chain_.at(h));
    if (hash == message.stop) break;
    items.push_back({kInvBlock, hash});
    if (items.size() == kMaxBlocksPerGetBlocks) {
      found->second.continue_hash = hash;
      break;
    }
  }
  if (!items.empty()) commands.push_back(SendInventory{message.peer, std::move(items)});
}

uint64_t BlockServing::BytesBeyondOwn() const {
  uint64_t bytes = 0;
  for (const auto& [id, peer] : peers_) bytes += peer.wanted.bytes_beyond_own();
  return bytes;
}

void BlockServing::OnGetData(const GetDataReceived& message) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  BlockWishes& wanted = found->second.wanted;
  std::optional<uint64_t> others_bytes;  // most peers never have so much that it matters
  for (const InventoryItem& item : message.items) {
    // One message's worth may wait; a peer that asks for more before it has read is not owed an answer.
    if (wanted.size() >= kMaxInventoryPerMessage) break;
    // Nor one that has its share, when all together have theirs.
    if (wanted.bytes() >= BlockWishes::kOwnBytes) {
      if (!others_bytes) others_bytes = BytesBeyondOwn() - wanted.bytes_beyond_own();
      if (*others_bytes + wanted.bytes_beyond_own() >= kSharedWishBytes) break;
    }
    wanted.Push(item, tree_.Find(item.hash));
  }
}

bool BlockServing::IsFoundWhole(HeaderId id) {
  if (found_whole_.size() <= id) found_whole_.resize(tree_.size());
  return found_whole_[id];
}

absl::StatusOr<uint64_t> BlockServing::ServeBlock(SyncPeer& peer, const InventoryItem& item, HeaderId id,
                                                  std::vector<PeerCommand>& commands) {
  HR_ASSIGN_OR_RETURN(SharedBytes block, blocks_.Map(tree_.data(id)));
  const bool is_stripped = (item.type & kInvWitnessFlag) == 0;
  BlockColumns columns;
  if (is_stripped || !IsFoundWhole(id)) {
    if (DecodeBlock(block.bytes, columns) != DecodeError::kNone || columns.hash != tree_.hash(id)) {
      return blocks_.DamageAt(tree_.data(id), absl::StrCat("block ", tree_.hash(id).ToHex(), " is not there any more"));
    }
  }
  if (!IsFoundWhole(id)) {
    HashTransactions(columns);
    if (!MatchesCommitments(columns)) {
      return blocks_.DamageAt(tree_.data(id), absl::StrCat("block ", tree_.hash(id).ToHex(), " is not what was stored"));
    }
    found_whole_[id] = true;
  }
  if (is_stripped) {
    const bool any_witness = std::any_of(columns.has_witness.begin(), columns.has_witness.end(), [](uint8_t has) { return has != 0; });
    if (any_witness) block = SharedBytes::From(EncodeBlockStripped(columns));
  }
  const uint64_t size_bytes = block.bytes.size();
  commands.push_back(SendBlock{peer.info.id, std::move(block)});
  ++peer.blocks_served;
  // Peers that find blocks by getblocks show no headers: this is how it is known where they are.
  if (chain_.Contains(id)) peer.WasSent(tree_, id);
  if (item.hash == peer.continue_hash) {
    peer.continue_hash = Hash256();
    commands.push_back(SendInventory{peer.info.id, {{kInvBlock, tree_.hash(chain_.tip())}}});
  }
  return size_bytes;
}

// Everybody who can be served, from the one after the last turn on.
std::vector<BlockServing::Reader> BlockServing::ReadersInTurn(const PeerGateway& gateway) {
  std::vector<Reader> readers;
  size_t before = 0;
  const bool may_send_history = gateway.MaySendHistory();
  for (auto& [id, peer] : peers_) {
    if (peer.wanted.empty() || peer.is_leaving) continue;
    const Reader reader{&peer, gateway.QueuedBytes(id), may_send_history || HasPermission(peer.info.permissions, kMayDownload)};
    if (!reader.CanBeServed()) continue;
    readers.push_back(reader);
    before += id <= last_turn_ ? 1 : 0;
  }
  std::rotate(readers.begin(), readers.begin() + static_cast<ptrdiff_t>(before), readers.end());
  return readers;
}

absl::Status BlockServing::TakeTurn(Reader& reader, int64_t& step_bytes, std::vector<PeerCommand>& commands) {
  SyncPeer& peer = *reader.peer;
  last_turn_ = peer.info.id;
  peer.serving_credit += kTurnBytes;
  std::vector<InventoryItem> missing;
  while (peer.serving_credit > 0 && step_bytes > 0 && reader.CanBeServed()) {
    auto [id, item] = peer.wanted.Pop();
    if (id != kNoHeader) item.hash = tree_.hash(id);
    int64_t cost = kMissBytes;
    if (id == kNoHeader || !IsServed(id) || !tree_.has_data(id)) {
      missing.push_back(item);
    } else if (!reader.may_have_history && IsHistory(id)) {
      peer.wanted.Clear();
      AnswerFault(peer.info.id, PeerFault::kHistoryBeyondTarget, commands);
    } else {
      HR_ASSIGN_OR_RETURN(const uint64_t size_bytes, ServeBlock(peer, item, id, commands));
      reader.queued_bytes += size_bytes;
      cost = static_cast<int64_t>(size_bytes);
    }
    peer.serving_credit -= cost;
    step_bytes -= cost;
  }
  // Turns are not saved up by those who want nothing or do not read.
  if (!reader.CanBeServed()) peer.serving_credit = std::min<int64_t>(peer.serving_credit, 0);
  if (!missing.empty()) commands.push_back(SendNotFound{peer.info.id, std::move(missing)});
  return absl::OkStatus();
}

absl::StatusOr<bool> BlockServing::Step(const PeerGateway& gateway, std::vector<PeerCommand>& commands) {
  std::vector<Reader> readers = ReadersInTurn(gateway);
  int64_t step_bytes = kStepBytes;
  while (!readers.empty() && step_bytes > 0) {
    for (Reader& reader : readers) {
      if (step_bytes <= 0) break;
      HR_RETURN_IF_ERROR(TakeTurn(reader, step_bytes, commands));
    }
    std::erase_if(readers, [](const Reader& reader) { return !reader.CanBeServed(); });
  }
  return step_bytes != kStepBytes;
}

}  // namespace headrace
