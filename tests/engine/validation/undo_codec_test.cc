#include "engine/validation/undo_codec.h"

#include <random>

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

}  // namespace
}  // namespace headrace
