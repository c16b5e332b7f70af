// Compact blocks: short ids by BIP152's words, and what MakeCompactBlock makes of a block.
#include "engine/primitives/compact_block.h"

#include <gtest/gtest.h>

#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/engine/primitives/random_transactions.h"

namespace headrace {
namespace {

// Over the same words of the BIP with nothing shared but the hashes: header and nonce as one string, the key's halves
// little endian, six bytes of the result.
TEST(CompactBlockTest, ShortIdsFollowTheBip) {
  testing::Random random(1);
  for (int round = 0; round < 50; ++round) {
    BlockHeader header;
    header.version = static_cast<int32_t>(random());
    header.nonce = static_cast<uint32_t>(random());
    header.merkle_root.bytes[5] = static_cast<uint8_t>(random());
    const uint64_t nonce = random();
    Bytes text;
    for (const uint8_t byte : header.Serialize()) text.push_back(byte);
    for (int i = 0; i < 8; ++i) text.push_back(static_cast<uint8_t>(nonce >> (8 * i)));
    const Digest256 digest = Sha256(text);
    uint64_t key[2] = {0, 0};
    for (int i = 0; i < 16; ++i) key[i / 8] |= uint64_t{digest[static_cast<size_t>(i)]} << (8 * (i % 8));
    Hash256 wtxid;
    for (uint8_t& byte : wtxid.bytes) byte = static_cast<uint8_t>(random());
    const uint64_t whole = SipHash24(key[0], key[1], wtxid.span());
    const uint64_t short_id = ShortIdKey(header, nonce).ShortId(wtxid);
    EXPECT_EQ(short_id, whole % (uint64_t{1} << 48));
    EXPECT_NE(ShortIdKey(header, nonce + 1).ShortId(wtxid), short_id);
  }
}

TEST(CompactBlockTest, TheCoinbaseIsSentWholeAndTheOthersByWtxid) {
  testing::Random random(2);
  int with_witness = 0;
  for (int round = 0; round < 30; ++round) {
    const Bytes raw = testing::RandomBlock(random).Serialize(true);
    BlockColumns columns;
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    const CompactBlock compact = MakeCompactBlock(columns, 7);
    EXPECT_EQ(compact.header, columns.header);
    EXPECT_EQ(compact.nonce, 7u);
    ASSERT_EQ(compact.transaction_count(), columns.transaction_count());
    if (columns.transaction_count() == 0) continue;
    ASSERT_EQ(compact.prefilled.size(), 1u);
    EXPECT_EQ(compact.prefilled[0].index, 0u);
    const ByteSpan coinbase = columns.transaction(0).serialized();
    EXPECT_EQ(compact.prefilled[0].bytes, Bytes(coinbase.begin(), coinbase.end()));
    const ShortIdKey key(columns.header, 7);
    for (uint32_t t = 1; t < columns.transaction_count(); ++t) {
      EXPECT_EQ(compact.short_ids[t - 1], key.ShortId(columns.wtxid[t]));
      with_witness += columns.has_witness[t];
    }
  }
  EXPECT_GT(with_witness, 0);
}

// Transactions one after another, as the messages hold them: each read ends where the next begins.
TEST(CompactBlockTest, TransactionsAreReadOneByOneOutOfAStream) {
  testing::Random random(3);
  Bytes stream;
  std::vector<Bytes> all;
  for (int i = 0; i < 40; ++i) {
    all.push_back(testing::RandomPlainTransaction(random).Serialize(true));
    stream.insert(stream.end(), all.back().begin(), all.back().end());
  }
  ByteReader reader(stream);
  TransactionColumns scratch;
  for (const Bytes& transaction : all) {
    const ByteSpan read = ReadTransaction(reader, scratch);
    EXPECT_EQ(Bytes(read.begin(), read.end()), transaction);
  }
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_TRUE(ReadTransaction(reader, scratch).empty());
  EXPECT_EQ(reader.error(), DecodeError::kTruncated);
}

}  // namespace
}  // namespace headrace
