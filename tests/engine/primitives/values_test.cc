// The small values: identifiers as text, outpoints, headers, amounts, unspendable scripts.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/base/hex.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/outpoint.h"

namespace headrace {
namespace {

TEST(Hash256, TextIsReversed) {
  const std::string text = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
  const auto hash = Hash256::FromHex(text);
  ASSERT_TRUE(hash);
  EXPECT_EQ(hash->bytes[0], 0x6f);
  EXPECT_EQ(hash->ToHex(), text);
  EXPECT_FALSE(Hash256::FromHex(text.substr(2)));
  EXPECT_FALSE(Hash256::FromHex(text + "00"));
  EXPECT_FALSE(Hash256::FromHex("zz" + text.substr(2)));
  EXPECT_TRUE(Hash256().IsZero());
  EXPECT_FALSE(hash->IsZero());
  EXPECT_LT(Hash256(), *hash);
}

TEST(OutPoint, StoresAndLoads) {
  OutPoint outpoint{Hash256(Sha256(AsBytes("a"))), 0x01020304};
  uint8_t bytes[OutPoint::kSerializedBytes];
  outpoint.Store(bytes);
  EXPECT_EQ(bytes[32], 4);
  EXPECT_EQ(OutPoint::Load(bytes), outpoint);
  EXPECT_FALSE(outpoint.IsNull());
  EXPECT_FALSE((OutPoint{outpoint.txid, OutPoint::kNullIndex}.IsNull()));
  EXPECT_FALSE((OutPoint{Hash256(), 0}.IsNull()));
  EXPECT_TRUE((OutPoint{Hash256(), OutPoint::kNullIndex}.IsNull()));
}

TEST(BlockHeader, FirstBlockOfTheMainNetwork) {
  const auto bytes = HexDecode(
      "01000000000000000000000000000000000000000000000000000000000000000000000"
      "03ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c");
  ASSERT_TRUE(bytes && bytes->size() == 80);
  const BlockHeader header = BlockHeader::Load(bytes->data());
  EXPECT_EQ(header.version, 1);
  EXPECT_EQ(header.time_s, 1231006505u);
  EXPECT_EQ(header.bits, 0x1d00ffffu);
  EXPECT_EQ(header.nonce, 2083236893u);
  EXPECT_EQ(header.merkle_root.ToHex(), "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");
  EXPECT_EQ(header.Hash().ToHex(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
  const auto stored = header.Serialize();
  EXPECT_TRUE(std::equal(stored.begin(), stored.end(), bytes->begin()));
}

TEST(Amount, MoneyHasLimits) {
  EXPECT_TRUE(IsMoney(0));
  EXPECT_TRUE(IsMoney(kMaxMoney));
  EXPECT_FALSE(IsMoney(kMaxMoney + 1));
  EXPECT_FALSE(IsMoney(-1));
}

TEST(Coin, UnspendableScripts) {
  EXPECT_FALSE(IsUnspendable({}));
  EXPECT_TRUE(IsUnspendable(std::vector<uint8_t>{kOpReturn}));
  EXPECT_FALSE(IsUnspendable(std::vector<uint8_t>{0x51, kOpReturn}));
  EXPECT_FALSE(IsUnspendable(std::vector<uint8_t>(kMaxScriptBytes, 0x51)));
  EXPECT_TRUE(IsUnspendable(std::vector<uint8_t>(kMaxScriptBytes + 1, 0x51)));
}

}  // namespace
}  // namespace headrace
