#include "engine/validation/undo_codec.h"

#include <random>

#include "engine/primitives/byte_writer.h"
#include "gtest/gtest.h"

namespace headrace {
namespace {

TEST(UndoCodec, GivesBackWhatWasSpentAndRefusesEverythingElse) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const uint32_t coinbase_inputs = 1;
    std::vector<std::vector<uint8_t>> scripts(1 + random() % 20);
    std::vector<Coin> spent(scripts.size());
    for (size_t i = coinbase_inputs; i < spent.size(); ++i) {
      scripts[i].resize(random() % 300);
      for (uint8_t& byte : scripts[i]) byte = static_cast<uint8_t>(random());
      spent[i] = {static_cast<Amount>(random() % kMaxMoney), static_cast<uint32_t>(random()) >> 1, random() % 2 == 0, scripts[i]};
    }
    std::vector<uint8_t> undo;
    EncodeUndo(spent, coinbase_inputs, undo);
    Arena arena;
    std::vector<Coin> decoded(spent.size());
    ASSERT_EQ(DecodeUndo(undo, coinbase_inputs, decoded, arena), DecodeError::kNone);
    for (size_t i = coinbase_inputs; i < spent.size(); ++i) {
      EXPECT_EQ(decoded[i].amount, spent[i].amount);
      EXPECT_EQ(decoded[i].height, spent[i].height);
      EXPECT_EQ(decoded[i].is_coinbase, spent[i].is_coinbase);
      EXPECT_TRUE(std::equal(decoded[i].script.begin(), decoded[i].script.end(), scripts[i].begin(), scripts[i].end()));
    }
    for (size_t size = 0; size < undo.size(); size += 1 + size / 7) {
      EXPECT_NE(DecodeUndo(ByteSpan(undo).first(size), coinbase_inputs, decoded, arena), DecodeError::kNone);
    }
    undo.push_back(0);
    EXPECT_EQ(DecodeUndo(undo, coinbase_inputs, decoded, arena), DecodeError::kTrailingBytes);
  }
}

TEST(UndoCodec, RefusesCoinsThatNoBlockCanHaveSpent) {
  const auto decode = [](uint64_t height_and_coinbase, uint64_t amount, size_t script_bytes) {
    std::vector<uint8_t> undo;
    ByteWriter writer(undo);
    writer.CompactSize(1);
    writer.CompactSize(height_and_coinbase);
    writer.CompactSize(amount);
    writer.VarBytes(std::vector<uint8_t>(script_bytes));
    Arena arena;
    std::vector<Coin> spent(1);
    return DecodeUndo(undo, 0, spent, arena);
  };
  EXPECT_EQ(decode(0x1ffffffff, kMaxMoney, kMaxScriptBytes), DecodeError::kNone);
  EXPECT_EQ(decode(0x200000000, kMaxMoney, kMaxScriptBytes), DecodeError::kOversizedCount);
  EXPECT_EQ(decode(0x1ffffffff, kMaxMoney + 1, kMaxScriptBytes), DecodeError::kOversizedCount);
  EXPECT_EQ(decode(0x1ffffffff, ~uint64_t{0}, kMaxScriptBytes), DecodeError::kOversizedCount);
  EXPECT_EQ(decode(0x1ffffffff, kMaxMoney, kMaxScriptBytes + 1), DecodeError::kOversizedCount);
}

}  // namespace
}  // namespace headrace
