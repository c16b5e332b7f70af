// The messages of BIP152: what is encoded is decoded again, limits are exact, and a real one names the transactions of
// its block.
#include "net/wire/compact_messages.h"

#include <gtest/gtest.h>

#include "engine/base/limits.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

// The smallest transaction that a decoder takes: no inputs, no outputs.
const Bytes kTiny = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};

Bytes Encoded(const CompactBlock& block) {
  Bytes body;
  EncodeCompactBlock(block, body);
  return body;
}

Bytes Encoded(const BlockTransactionsRequest& request) {
  Bytes body;
  EncodeBlockTransactionsRequest(request, body);
  return body;
}

Bytes Encoded(const BlockTransactions& answer) {
  Bytes body;
  EncodeBlockTransactions(answer, body);
  return body;
}

CompactBlock MakeBlock() {
  CompactBlock block;
  block.header.nonce = 77;
  block.nonce = 0x0102030405060708;
  block.short_ids = {0x112233445566, 0xffffffffffff, 0};
  block.prefilled = {{0, kTiny}, {3, kTiny}};
  return block;
}

template <typename Value>
void ExpectStrictly(const Value& value, DecodeError (*decode)(ByteSpan, Value&)) {
  const Bytes body = Encoded(value);
  Value decoded;
  ASSERT_EQ(decode(body, decoded), DecodeError::kNone);
  EXPECT_EQ(decoded, value);
  for (size_t size = 0; size < body.size(); ++size) {
    const Bytes prefix(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(decode(prefix, decoded), DecodeError::kTruncated) << "prefix of " << size;
  }
  Bytes longer = body;
  longer.push_back(0);
  EXPECT_EQ(decode(longer, decoded), DecodeError::kTrailingBytes);
}

TEST(CompactMessagesTest, WhatIsEncodedIsDecodedAndNothingElse) {
  ExpectStrictly(MakeBlock(), DecodeCompactBlock);
  ExpectStrictly(BlockTransactionsRequest{MakeBlock().header.Hash(), {0, 1, 5, 300, kMaxBlockTransactions - 1}},
                 DecodeBlockTransactionsRequest);
  ExpectStrictly(BlockTransactions{MakeBlock().header.Hash(), {kTiny, kTiny}}, DecodeBlockTransactions);
}

// Written out by hand from the BIP's tables: the third index is a distance of one from the second.
TEST(CompactMessagesTest, IndexesAreDistances) {
  Bytes body(32, 9);
  for (const uint8_t byte : {3, 2, 0, 1}) body.push_back(byte);
  BlockTransactionsRequest request;
  ASSERT_EQ(DecodeBlockTransactionsRequest(body, request), DecodeError::kNone);
  EXPECT_EQ(request.indexes, (std::vector<uint32_t>{2, 3, 5}));
}

TEST(CompactMessagesTest, ShortIdsAreSixBytesLowestFirst) {
  const Bytes body = Encoded(MakeBlock());
  const Bytes first(body.begin() + 89, body.begin() + 95);
  EXPECT_EQ(body[88], 3);
  EXPECT_EQ(first, (Bytes{0x66, 0x55, 0x44, 0x33, 0x22, 0x11}));
}

TEST(CompactMessagesTest, APrefilledIndexMayBeTheLastAndNotTheOneBehind) {
  CompactBlock block = MakeBlock();
  CompactBlock decoded;
  block.prefilled[1].index = 4;
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kNone);
  block.prefilled[1].index = 5;
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kIndexOutOfRange);
  // Distances that would come round to a small index in 32 or 16 bits.
  for (const uint32_t distance : {0xffffu, 0xfffeu, kMaxCompactSize}) {
    block.prefilled[1].index = block.prefilled[0].index + 1 + distance;
    EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kIndexOutOfRange) << distance;
  }
  block.prefilled[1].index = block.prefilled[0].index + 2 + kMaxCompactSize;
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kOversizedCount);
  block.prefilled[0].index = 5;
  block.prefilled.resize(1);
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kIndexOutOfRange);
}

TEST(CompactMessagesTest, CountsEndWhereABlockDoes) {
  CompactBlock block;
  block.short_ids.resize(kMaxBlockTransactions);
  CompactBlock decoded;
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kNone);
  block.prefilled = {{0, kTiny}};
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kOversizedCount);
  block.prefilled.clear();
  block.short_ids.push_back(1);
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kOversizedCount);
  block.short_ids.clear();
  EXPECT_EQ(DecodeCompactBlock(Encoded(block), decoded), DecodeError::kNoTransactions);

  BlockTransactionsRequest request;
  EXPECT_EQ(DecodeBlockTransactionsRequest(Encoded(BlockTransactionsRequest{{}, {kMaxBlockTransactions}}), request),
            DecodeError::kIndexOutOfRange);
  Bytes body(32, 0);
  ByteWriter(body).CompactSize(kMaxBlockTransactions + 1);
  EXPECT_EQ(DecodeBlockTransactionsRequest(body, request), DecodeError::kOversizedCount);
  BlockTransactions answer;
  EXPECT_EQ(DecodeBlockTransactions(body, answer), DecodeError::kOversizedCount);
}

TEST(CompactMessagesTest, ARealOneNamesTheTransactionsOfItsBlock) {
  HR_NEEDS_DATA("mainnet/cmpctblock-426884.raw");
  HR_NEEDS_DATA("mainnet/block-426884.raw");
  CompactBlock real;
  ASSERT_EQ(
      DecodeCompactBlock(testing::ReadFileBytes(testing::DataDirectory() + "/mainnet/cmpctblock-426884.raw"), real),
      DecodeError::kNone);
  const Bytes raw = testing::ReadFileBytes(testing::DataDirectory() + "/mainnet/block-426884.raw");
  BlockColumns columns;
  ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
  HashTransactions(columns);
  // From before segregated witness: wtxid and txid, and so both versions of the protocol, are the same.
  EXPECT_EQ(real, MakeCompactBlock(columns, real.nonce));
}

}  // namespace
}  // namespace headrace
