#include "engine/sync/compact_serving.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/limits.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/sync/block_serving.h"
#include "engine/sync/peer_fault.h"

namespace headrace {
namespace {

// The block waits among those that the peer asked for itself, within what is its own.
void WantWhole(SyncPeer& peer, const Hash256& block, HeaderId id) {
  if (peer.wanted.bytes() < BlockWishes::kOwnBytes) peer.wanted.Push({kInvWitnessBlock, block}, id);
}

}  // namespace

CompactServing::CompactServing(const HeaderTree& tree, const ActiveChain& chain, const BlockStore& blocks,
                               Entropy& entropy, SyncPeers& peers)
    : tree_(tree), chain_(chain), blocks_(blocks), entropy_(entropy), peers_(peers) {}

bool CompactServing::IsWithin(HeaderId id, uint32_t depth) const {
  return chain_.Contains(id) && tree_.has_data(id) && tree_.height(id) + depth >= chain_.height();
}

absl::StatusOr<BlockColumns> CompactServing::Decode(HeaderId id, ByteSpan raw) const {
  BlockColumns columns;
  bool is_whole = DecodeBlock(raw, columns) == DecodeError::kNone && columns.hash == tree_.hash(id);
  if (is_whole) {
    HashTransactions(columns);
    is_whole = MatchesCommitments(columns);
  }
  if (is_whole) return columns;
  return blocks_.DamageAt(tree_.data(id), absl::StrCat("block ", tree_.hash(id).ToHex(), " is not what was stored"));
}

const CompactServing::Decoded& CompactServing::Keep(HeaderId id, const BlockColumns& columns) {
  for (const Decoded& decoded : decoded_) {
    if (decoded.id == id) return decoded;
  }
  decoded_.push_back({id, columns.begin});
  if (decoded_.size() > kTransactionsDepthMax + 1) decoded_.pop_front();
  return decoded_.back();
}

absl::StatusOr<const CompactServing::Decoded*> CompactServing::DecodedOf(HeaderId id, ByteSpan raw) {
  for (const Decoded& decoded : decoded_) {
    if (decoded.id == id) return &decoded;
  }
  HR_ASSIGN_OR_RETURN(const BlockColumns columns, Decode(id, raw));
  return &Keep(id, columns);
}

absl::StatusOr<std::shared_ptr<const CompactBlock>> CompactServing::CompactOf(HeaderId id) {
  for (const Made& made : made_) {
    if (made.id == id) return made.block;
  }
  HR_ASSIGN_OR_RETURN(const SharedBytes raw, blocks_.Map(tree_.data(id)));
  HR_ASSIGN_OR_RETURN(const BlockColumns columns, Decode(id, raw.bytes));
  Keep(id, columns);
  // One nonce for all peers: whoever wants to prepare transactions that collide would have to know it before the block
  // is out.
  made_.push_back({id, std::make_shared<const CompactBlock>(MakeCompactBlock(columns, entropy_.Next64()))});
  if (made_.size() > kCompactDepthMax + 1) made_.pop_front();
  return made_.back().block;
}

void CompactServing::OnGetData(GetDataReceived& message) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  std::erase_if(message.items, [&](InventoryItem& item) {
    if (item.type != kInvCompactBlock) return false;
    const HeaderId id = tree_.Find(item.hash);
    if (id == kNoHeader || !IsWithin(id, kCompactDepthMax)) {
      item.type = kInvWitnessBlock;
      return false;
    }
    if (found->second.wanted_compact.size() < kWantedMax) found->second.wanted_compact.push_back(id);
    return true;
  });
}

void CompactServing::OnGetBlockTransactions(const GetBlockTransactionsReceived& message) {
  const auto found = peers_.find(message.peer);
  const HeaderId id = tree_.Find(message.request.block);
  if (found == peers_.end() || id == kNoHeader || !tree_.has_data(id)) return;
  SyncPeer& peer = found->second;
  if (!IsWithin(id, kTransactionsDepthMax)) {
    WantWhole(peer, message.request.block, id);
  } else if (peer.wanted_transactions.size() < kWantedMax) {
    peer.wanted_transactions.push_back(message.request);
  }
}

absl::Status CompactServing::SendCompact(SyncPeer& peer, std::vector<PeerCommand>& commands) {
  const HeaderId id = peer.wanted_compact.front();
  peer.wanted_compact.pop_front();
  // The chain may have gone on, or elsewhere, since it asked.
  if (!IsWithin(id, kCompactDepthMax)) {
    WantWhole(peer, tree_.hash(id), id);
    return absl::OkStatus();
  }
  HR_ASSIGN_OR_RETURN(std::shared_ptr<const CompactBlock> block, CompactOf(id));
  commands.push_back(SendCompactBlock{peer.info.id, std::move(block)});
  peer.WasSent(tree_, id);
  return absl::OkStatus();
}

absl::Status CompactServing::Answer(SyncPeer& peer, const BlockTransactionsRequest& request,
                                    std::vector<PeerCommand>& commands) {
  const HeaderId id = tree_.Find(request.block);
  if (!IsWithin(id, kTransactionsDepthMax)) {
    WantWhole(peer, request.block, id);
    return absl::OkStatus();
  }
  HR_ASSIGN_OR_RETURN(const SharedBytes raw, blocks_.Map(tree_.data(id)));
  HR_ASSIGN_OR_RETURN(const Decoded* const decoded, DecodedOf(id, raw.bytes));
  const std::vector<uint32_t>& begin = decoded->begin;
  BlockTransactions answer{request.block, {}};
  for (const uint32_t index : request.indexes) {
    if (index + size_t{1} >= begin.size()) {
      AnswerFault(peer.info.id, PeerFault::kTransactionBeyondBlock, commands);
      return absl::OkStatus();
    }
    const ByteSpan bytes = raw.bytes.subspan(begin[index], begin[index + 1] - begin[index]);
    answer.transactions.emplace_back(bytes.begin(), bytes.end());
  }
  commands.push_back(SendBlockTransactions{peer.info.id, std::move(answer)});
  return absl::OkStatus();
}

absl::StatusOr<bool> CompactServing::Step(const PeerGateway& gateway, std::vector<PeerCommand>& commands) {
  bool sent = false;
  for (auto& [id, peer] : peers_) {
    if ((peer.wanted_compact.empty() && peer.wanted_transactions.empty()) || peer.is_leaving) continue;
    if (gateway.QueuedBytes(id) >= BlockServing::kQueuedBytesMax) continue;
    sent = true;
    // They are small, and made already but for the first.
    while (!peer.wanted_compact.empty()) HR_RETURN_IF_ERROR(SendCompact(peer, commands));
    if (peer.wanted_transactions.empty()) continue;
    const BlockTransactionsRequest request = std::move(peer.wanted_transactions.front());
    peer.wanted_transactions.pop_front();
    HR_RETURN_IF_ERROR(Answer(peer, request, commands));
  }
  return sent;
}

}  // namespace headrace
