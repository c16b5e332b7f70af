// The columns' decoder: every fault by hand, and equality with the plain decoder on random and damaged bytes.
#include "engine/primitives/decode.h"

#include <gtest/gtest.h>

#include <iostream>
#include <optional>

#include "engine/base/hex.h"
#include "engine/base/limits.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/engine/primitives/random_transactions.h"
#include "tests/engine/primitives/same_as_plain.h"

namespace headrace {
namespace {

using reference::PlainTransaction;
PlainTransaction SmallTransaction() {
  PlainTransaction transaction;
  transaction.version = 2;
  transaction.inputs.resize(1);
  transaction.inputs[0].script_sig = {0x51};
  transaction.inputs[0].witness = {{1, 2, 3}};
  transaction.outputs.resize(1);
  transaction.outputs[0].script = {0x52, 0x53};
  return transaction;
}

DecodeError Decode(const Bytes& raw, WitnessEncoding encoding = WitnessEncoding::kAllowed) {
  TransactionColumns columns;
  return DecodeTransaction(raw, encoding, columns);
}

// Where things stand in SmallTransaction's encoding.
constexpr size_t kMarker = 4, kFlags = 5, kInputCount = 6, kScriptSigSize = 6 + 1 + 36, kWitnessCount = 61;

TEST(DecodeTransaction, EveryFault) {
  const Bytes good = SmallTransaction().Serialize(true);
  ASSERT_EQ(good[kMarker], 0);
  ASSERT_EQ(good[kInputCount], 1);
  ASSERT_EQ(good[kScriptSigSize], 1);
  ASSERT_EQ(good[kWitnessCount], 1);
  EXPECT_EQ(Decode(good), DecodeError::kNone);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_NE(Decode({good.begin(), good.begin() + size}), DecodeError::kNone) << size;
  }
  Bytes bad = good;
  bad.push_back(0);
  EXPECT_EQ(Decode(bad), DecodeError::kTrailingBytes);
  bad = good;
  bad[kFlags] = 3;
  EXPECT_EQ(Decode(bad), DecodeError::kUnknownTransactionFlags);
  bad = good;
  bad[kWitnessCount] = 0;
  bad.erase(bad.begin() + kWitnessCount + 1, bad.end() - 4);
  EXPECT_EQ(Decode(bad), DecodeError::kSuperfluousWitness);
  bad = good;
  bad[kScriptSigSize] = 0xfd;
  bad.insert(bad.begin() + kScriptSigSize + 1, {1, 0});
  EXPECT_EQ(Decode(bad), DecodeError::kNonCanonicalCompactSize);
  bad = good;
  bad[kScriptSigSize] = 0xfe;
  bad.insert(bad.begin() + kScriptSigSize + 1, {1, 0, 0, 2});
  EXPECT_EQ(Decode(bad), DecodeError::kOversizedCount);
}

TEST(DecodeTransaction, HugeCountsCostNothing) {
  // A count up to the limit with no bytes behind it must fail without allocating for it.
  Bytes raw;
  ByteWriter writer(raw);
  writer.U32(1);
  writer.CompactSize(kMaxCompactSize);
  TransactionColumns columns;
  EXPECT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kTruncated);
  EXPECT_LT(columns.sequence.capacity(), 100u);
}

TEST(DecodeTransaction, EncodingBeforeBip144) {
  PlainTransaction transaction = SmallTransaction();
  const Bytes with_witness = transaction.Serialize(true);
  const Bytes stripped = transaction.Serialize(false);
  EXPECT_EQ(Decode(stripped, WitnessEncoding::kForbidden), DecodeError::kNone);
  EXPECT_NE(Decode(with_witness, WitnessEncoding::kForbidden), DecodeError::kNone);
  // No inputs, one output: readable only where the marker has no meaning.
  transaction.inputs.clear();
  const Bytes without_inputs = transaction.Serialize(false);
  EXPECT_EQ(Decode(without_inputs, WitnessEncoding::kForbidden), DecodeError::kNone);
  EXPECT_NE(Decode(without_inputs, WitnessEncoding::kAllowed), DecodeError::kNone);
  transaction.outputs.clear();
  EXPECT_EQ(Decode(transaction.Serialize(false), WitnessEncoding::kAllowed), DecodeError::kNone);
}

TEST(DecodeBlock, FaultsOfTheFrame) {
  BlockColumns columns;
  EXPECT_EQ(DecodeBlock({}, columns), DecodeError::kTruncated);
  Bytes raw(80);
  EXPECT_EQ(DecodeBlock(ByteSpan(raw).first(79), columns), DecodeError::kTruncated);
  EXPECT_EQ(DecodeBlock(raw, columns), DecodeError::kTruncated) << "no transaction count";
  raw.push_back(0);
  EXPECT_EQ(DecodeBlock(raw, columns), DecodeError::kNone) << "that a block has transactions is a rule, not an encoding";
  EXPECT_EQ(columns.transaction_count(), 0u);
  EXPECT_EQ(columns.stripped_size(), 81u);
  raw.push_back(0);
  EXPECT_EQ(DecodeBlock(raw, columns), DecodeError::kTrailingBytes);
  EXPECT_FALSE(DecodeErrorText(DecodeError::kTrailingBytes).empty());
}

TEST(Decode, RandomTransactionsAgreeWithThePlainDecoder) {
  testing::Random random(10);
  TransactionColumns columns;
  int valid = 0, refused = 0;
  for (int round = 0; round < 3000; ++round) {
    Bytes raw = testing::RandomPlainTransaction(random).Serialize(true);
    if (round % 3 != 0) raw = testing::Damage(raw, random);
    const bool allowed = random() % 4 != 0;
    const auto plain = reference::DecodePlainTransaction(raw, allowed);
    const DecodeError error =
        DecodeTransaction(raw, allowed ? WitnessEncoding::kAllowed : WitnessEncoding::kForbidden, columns);
    ASSERT_EQ(error == DecodeError::kNone, plain.has_value()) << HexEncode(raw);
    ++(plain ? valid : refused);
    if (!plain) continue;
    HashTransactions(columns);
    testing::ExpectSameTransaction({columns, 0}, *plain);
  }
  EXPECT_GT(valid, 0);
  EXPECT_GT(refused, 0);
  std::cout << "valid=" << valid << " refused=" << refused << "\n";
}

TEST(Decode, RandomBlocksAgreeWithThePlainDecoder) {
  testing::Random random(11);
  BlockColumns columns;
  int valid = 0, refused = 0;
  for (int round = 0; round < 600; ++round) {
    Bytes raw = testing::RandomBlock(random).Serialize(true);
    if (round % 3 != 0) raw = testing::Damage(raw, random);
    const auto plain = reference::DecodePlainBlock(raw);
    const DecodeError error = DecodeBlock(raw, columns);
    ASSERT_EQ(error == DecodeError::kNone, plain.has_value()) << HexEncode(raw);
    ++(plain ? valid : refused);
    if (!plain) continue;
    HashTransactions(columns);
    testing::ExpectSameBlock(columns, *plain);
  }
  EXPECT_GT(valid, 0);
  EXPECT_GT(refused, 0);
  std::cout << "valid=" << valid << " refused=" << refused << "\n";
}

}  // namespace
}  // namespace headrace
