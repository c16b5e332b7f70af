// What a liar says about compact blocks (BIP152): wrong short ids, counts and places beyond every limit, transactions
// that were not asked for, and nothing at all.

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "net/wire/commands.h"
#include "net/wire/compact_messages.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/small_messages.h"
#include "tests/sim/adversary.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

CompactBlock MakeCompact(const ModelBlock& block, SimEntropy& entropy) {
  BlockColumns columns;
  HR_CHECK(DecodeBlock(block.raw->bytes(), columns) == DecodeError::kNone);
  HashTransactions(columns);
  return MakeCompactBlock(columns, entropy.Next());
}

// A message that no encoder makes: so many short ids are promised, and none of them comes.
Bytes PromiseOf(const BlockHeader& header, uint64_t count) {
  Bytes body;
  ByteWriter writer(body);
  writer.Bytes(header.Serialize());
  writer.U64(1);
  writer.CompactSize(count);
  return body;
}

}  // namespace

// A new block on what the honest have now.
void Adversary::FollowPublic() {
  const ModelBlock& best = world_.best_public();
  if (branch_.empty() || branch_.back()->parent != &best) SetBranch(world_.maker().Extend(best, 1));
}

void Adversary::ShowCompact(ConnectionId connection) {
  if (is_compact_alone_) FollowPublic();
  if (branch_.empty()) return;
  Bytes body;
  if (entropy_.OneIn(4)) {
    EncodeSendCompact({entropy_.OneIn(2), entropy_.OneIn(4) ? uint64_t{1} : kCompactVersion}, body);
    Send(connection, commands::kSendCompact, body);
    body.clear();
  }
  // Most of the time the one that is next for who has what the honest have.
  const size_t next = std::min<size_t>(world_.best_public().height, branch_.size() - 1);
  const size_t any = branch_.size() - 1 - entropy_.Below(std::min<size_t>(branch_.size(), 3));
  const ModelBlock& block = *branch_[!is_compact_alone_ && entropy_.OneIn(4) ? any : next];
  CompactBlock compact = MakeCompact(block, entropy_);
  // What is malformed ends the connection, so it is rare; half of the others are right, for the answers that follow are not.
  const bool is_malformed = entropy_.OneIn(8);
  switch (is_malformed ? 3 + entropy_.Below(2) : entropy_.OneIn(2) ? 5 : entropy_.Below(3)) {
    case 0:
      for (uint64_t& short_id : compact.short_ids) short_id = entropy_.Next() >> 16;
      break;
    case 1:
      compact.short_ids.assign(compact.short_ids.size() + 2, entropy_.Next() >> 16);
      break;
    case 2:
      // Whole transactions, in no order.
      for (uint32_t t = 1; t < block.transactions.size(); ++t)
        compact.prefilled.push_back({t, block.transactions[t].Serialize()});
      compact.short_ids.clear();
      std::swap(compact.prefilled.front().bytes, compact.prefilled.back().bytes);
      // The coinbase alone is that of another block.
      if (compact.prefilled.size() == 1 && block.parent->parent != nullptr) {
        compact.prefilled.front().bytes = block.parent->transactions.front().Serialize();
      }
      break;
    case 3:
      compact.prefilled.front().index = static_cast<uint32_t>(compact.short_ids.size() + 1 + entropy_.Below(70'000));
      break;
    case 4:
      body = PromiseOf(block.header, entropy_.OneIn(2) ? kMaxBlockTransactions : kMaxBlockTransactions + 1);
      return Send(connection, commands::kCompactBlock, body);
    default:
      break;
  }
  EncodeCompactBlock(compact, body);
  Send(connection, commands::kCompactBlock, body);
}

void Adversary::AskAboutTransactions(ConnectionId connection) {
  const ModelBlock& best = world_.best_public();
  const ModelBlock& block =
      *best.Ancestor(best.height - static_cast<uint32_t>(entropy_.Below(std::min(best.height, 15u) + 1)));
  Bytes body;
  if (entropy_.OneIn(2)) {
    EncodeInventory({{kInvCompactBlock, block.hash}}, body);
    return Send(connection, commands::kGetData, body);
  }
  BlockTransactionsRequest request{block.hash, {}};
  for (uint32_t index = 0; index < block.transactions.size(); ++index) {
    if (entropy_.OneIn(2)) request.indexes.push_back(index);
  }
  if (entropy_.OneIn(8))
    request.indexes.push_back(static_cast<uint32_t>(block.transactions.size() + entropy_.Below(20'000)));
  EncodeBlockTransactionsRequest(request, body);
  Send(connection, commands::kGetBlockTransactions, body);
}

void Adversary::AnswerGetBlockTransactions(ConnectionId connection, const Message& message) {
  BlockTransactionsRequest request;
  if (DecodeBlockTransactionsRequest(message.body, request) != DecodeError::kNone) return;
  ++world_.result().compact_questions;
  const ModelBlock* block = world_.model().Find(request.block);
  if (block == nullptr) return;
  BlockTransactions answer{request.block, {}};
  for (const uint32_t index : request.indexes) {
    if (index < block->transactions.size()) answer.transactions.push_back(block->transactions[index].Serialize());
  }
  switch (entropy_.Below(6)) {
    case 0:
      return;
    case 1:
      if (!answer.transactions.empty()) answer.transactions.pop_back();
      break;
    case 2:
      std::reverse(answer.transactions.begin(), answer.transactions.end());
      break;
    case 3:
      if (!answer.transactions.empty()) answer.transactions.back() = block->transactions.front().Serialize();
      break;
    default:
      break;
  }
  Bytes body;
  EncodeBlockTransactions(answer, body);
  // Some are cut off in the middle.
  if (entropy_.OneIn(10)) body.resize(body.size() - 1);
  Send(connection, commands::kBlockTransactions, body);
}

}  // namespace headrace::sim
