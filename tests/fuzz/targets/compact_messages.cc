// cmpctblock, getblocktxn and blocktxn: the first byte says which. Held against a plain reader of each.
#include "net/wire/compact_messages.h"

#include "engine/base/limits.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/engine/primitives/random_transactions.h"
#include "tests/fuzz/decoder_oracle.h"
#include "tests/reference/plain_compact.h"

namespace headrace::fuzz {
namespace {

// A byte of a message may become a transaction of ten bytes with a vector of its own.
constexpr size_t kGrowth = 64;

void CheckCompactBlock(ByteSpan body) {
  RequireExactDecoder<CompactBlock>(body, kGrowth, DecodeCompactBlock, EncodeCompactBlock);
  CompactBlock block;
  const bool is_good = DecodeCompactBlock(body, block) == DecodeError::kNone;
  const auto plain = reference::DecodePlainCompactBlock(body);
  HR_CHECK(is_good == plain.has_value());
  if (!plain) return;
  HR_CHECK(block.header == BlockHeader::Load(plain->header.data()) && block.nonce == plain->nonce);
  HR_CHECK(block.short_ids == plain->short_ids && block.prefilled.size() == plain->prefilled.size());
  for (size_t i = 0; i < plain->prefilled.size(); ++i) {
    HR_CHECK(block.prefilled[i].index == plain->prefilled[i].first &&
             block.prefilled[i].bytes == plain->prefilled[i].second);
    HR_CHECK(block.prefilled[i].index < block.transaction_count());
  }
  HR_CHECK(block.transaction_count() <= kMaxBlockTransactions);
}

void CheckRequest(ByteSpan body) {
  // An index of one byte takes four, in a vector that doubles.
  RequireExactDecoder<BlockTransactionsRequest>(body, 16, DecodeBlockTransactionsRequest,
                                                EncodeBlockTransactionsRequest);
  BlockTransactionsRequest request;
  const bool is_good = DecodeBlockTransactionsRequest(body, request) == DecodeError::kNone;
  const auto plain = reference::DecodePlainGetBlockTxn(body);
  HR_CHECK(is_good == plain.has_value());
  if (plain) HR_CHECK(std::equal(plain->begin(), plain->end(), request.indexes.begin(), request.indexes.end()));
}

void CheckAnswer(ByteSpan body) {
  RequireExactDecoder<BlockTransactions>(body, kGrowth, DecodeBlockTransactions, EncodeBlockTransactions);
  BlockTransactions answer;
  const bool is_good = DecodeBlockTransactions(body, answer) == DecodeError::kNone;
  const auto plain = reference::DecodePlainBlockTxn(body);
  HR_CHECK(is_good == plain.has_value());
  if (plain) HR_CHECK(answer.transactions == *plain);
}

void Run(ByteSpan input) {
  if (input.empty()) return;
  const ByteSpan body = input.subspan(1);
  switch (input[0] % 3) {
    case 0:
      return CheckCompactBlock(body);
    case 1:
      return CheckRequest(body);
    default:
      return CheckAnswer(body);
  }
}

std::vector<Bytes> Corpus() {
  testing::Random random(152);
  std::vector<Bytes> corpus;
  for (int i = 0; i < 12; ++i) {
    const Bytes raw = testing::RandomBlock(random).Serialize(true);
    BlockColumns columns;
    if (DecodeBlock(raw, columns) != DecodeError::kNone || columns.transaction_count() == 0) continue;
    HashTransactions(columns);
    CompactBlock block = MakeCompactBlock(columns, random());
    BlockTransactionsRequest request{columns.hash, {}};
    BlockTransactions answer{columns.hash, {}};
    for (uint32_t t = 1; t < columns.transaction_count(); ++t) {
      const ByteSpan bytes = columns.transaction(t).serialized();
      if (random() % 2 == 0) request.indexes.push_back(t), answer.transactions.emplace_back(bytes.begin(), bytes.end());
      // Others beside the coinbase are sent whole, the last one now and then.
      if (i % 3 == 0 && t + 1 == columns.transaction_count()) {
        block.short_ids.pop_back();
        block.prefilled.push_back({t, {bytes.begin(), bytes.end()}});
      }
    }
    EncodeCompactBlock(block, corpus.emplace_back(Bytes{0}));
    EncodeBlockTransactionsRequest(request, corpus.emplace_back(Bytes{1}));
    EncodeBlockTransactions(answer, corpus.emplace_back(Bytes{2}));
  }
  // The last index there is, the one behind it, and a distance that would overflow 32 bits if counts were not limited.
  for (const uint32_t index : {kMaxBlockTransactions - 1, kMaxBlockTransactions, kMaxCompactSize}) {
    EncodeBlockTransactionsRequest({Hash256(), {0, index}}, corpus.emplace_back(Bytes{1}));
  }
  return corpus;
}

FUZZ_TARGET(compact_messages, 4'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
