#include "storage/coins/coin_record.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/storage/coins/coin_world.h"

namespace headrace::testing {
namespace {

std::vector<uint8_t> Encode(const OutPoint& outpoint, const Coin& coin) {
  std::vector<uint8_t> out(kRecordBytesMax);
  out.resize(EncodeRecord(outpoint.txid.bytes.data(), outpoint.index, coin, out.data()));
  return out;
}

TEST(CoinRecord, ComesBackAsItWentIn) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 5'000; ++i) {
    std::vector<uint8_t> script = RandomScript(random);
    if (script.size() > kMaxScriptBytes) script.resize(kMaxScriptBytes);
    const Amount amounts[] = {0, 1, kMaxMoney, kMaxMoney - 1, 5'000'000'000, static_cast<Amount>(random() % kMaxMoney)};
    const Coin coin{amounts[random() % 6], static_cast<uint32_t>(random()), random() % 2 == 0, script};
    const OutPoint outpoint{RandomHash(random), static_cast<uint32_t>(random())};
    const std::vector<uint8_t> bytes = Encode(outpoint, coin);
    EXPECT_EQ(bytes.size() % kRecordAlignment, 0u);
    CoinRecord record;
    ASSERT_TRUE(DecodeRecord(bytes, record));
    EXPECT_EQ(record.size, bytes.size());
    EXPECT_EQ(OutPoint::Load(record.outpoint), outpoint);
    Arena arena;
    Coin back;
    ASSERT_TRUE(RestoreCoin(record, arena, back));
    EXPECT_EQ(back.amount, coin.amount);
    EXPECT_EQ(back.height, coin.height);
    EXPECT_EQ(back.is_coinbase, coin.is_coinbase);
    EXPECT_TRUE(std::equal(back.script.begin(), back.script.end(), script.begin(), script.end()));
  }
}

TEST(CoinRecord, IsSmallForStandardScripts) {
  std::vector<uint8_t> script(25, 0x11);
  script[0] = 0x76, script[1] = 0xa9, script[2] = 0x14, script[23] = 0x88, script[24] = 0xac;
  const Coin coin{123'456'000, 800'000, false, script};
  EXPECT_EQ(Encode({Hash256(), 1}, coin).size(), 64u);
}

// A kind byte, and what no other script of the kind has in common with it.
TEST(CoinRecord, FixedBytesOfStandardScriptsAreNotStored) {
  uint8_t out[256];
  const std::vector<uint8_t> anchor{0x51, 0x02, 0x4e, 0x73};
  EXPECT_EQ(CompressScript(anchor, out), 1u);
  std::vector<uint8_t> multisig{0x51};
  for (uint8_t key = 0; key < 3; ++key) {
    multisig.insert(multisig.end(), {33, static_cast<uint8_t>(2 + key % 2)});
    multisig.insert(multisig.end(), 32, key);
  }
  multisig.insert(multisig.end(), {0x53, 0xae});
  EXPECT_EQ(CompressScript(multisig, out), 3u + 3 * 32);
  multisig[0] = 0x54;  // four of three
  EXPECT_GT(CompressScript(multisig, out), multisig.size());
}

// Scripts that miss a standard one by a byte or two come back as they were: no fixed byte is taken for granted.
TEST(CoinRecord, ScriptsNextToStandardOnesComeBack) {
  const std::vector<uint8_t> fixed[][2] = {
      {{0x76, 0xa9, 0x14}, {0x88, 0xac}}, {{0xa9, 0x14}, {0x87}}, {{0x21, 0x02}, {0xac}}, {{0x21, 0x03}, {0xac}},
      {{0x00, 0x14}, {}},                 {{0x00, 0x20}, {}},     {{0x51, 0x20}, {}},     {{0x51, 0x02, 0x4e, 0x73}, {}}};
  const size_t payload_sizes[] = {20, 20, 32, 32, 20, 32, 32, 0};
  std::mt19937_64 random(9);
  const auto comes_back = [](const std::vector<uint8_t>& script) {
    uint8_t stored[256];
    CompressedScript compressed;
    const size_t size = CompressScript(script, stored);
    std::vector<uint8_t> back;
    if (ReadCompressedScript({stored, size}, compressed) != size) return ::testing::AssertionFailure() << "refused";
    back.resize(compressed.script_size);
    if (!DecompressScript(compressed, back.data())) return ::testing::AssertionFailure() << "not decompressed";
    return back == script ? ::testing::AssertionSuccess() << size : ::testing::AssertionFailure() << "differs";
  };
  for (size_t kind = 0; kind < std::size(payload_sizes); ++kind) {
    std::vector<uint8_t> script = fixed[kind][0];
    for (size_t i = 0; i < payload_sizes[kind]; ++i) script.push_back(static_cast<uint8_t>(random()));
    script.insert(script.end(), fixed[kind][1].begin(), fixed[kind][1].end());
    uint8_t stored[256];
    EXPECT_EQ(CompressScript(script, stored), payload_sizes[kind] + 1) << kind;
    EXPECT_TRUE(comes_back(script)) << kind;
    for (size_t at = 0; at < script.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::vector<uint8_t> other = script;
        other[at] ^= static_cast<uint8_t>(1 << bit);
        EXPECT_TRUE(comes_back(other)) << "kind " << kind << " byte " << at << " bit " << bit;
      }
    }
    for (const size_t size : {size_t{0}, script.size() - 1, script.size() + 1}) {
      std::vector<uint8_t> other = script;
      other.resize(size, 0xac);
      EXPECT_TRUE(comes_back(other)) << "kind " << kind << " size " << size;
    }
  }
}

TEST(CoinRecord, RefusesMultisigThatNobodyWrites) {
  std::vector<uint8_t> bytes(2 + 2 * 32 + 1, 0x77);
  bytes[0] = 11;
  CompressedScript script;
  const auto takes = [&](uint8_t numbers, uint8_t oddness) {
    bytes[1] = numbers;
    bytes[2] = oddness;
    return ReadCompressedScript(bytes, script);
  };
  EXPECT_EQ(takes(0 * 8 + 1, 3), bytes.size());  // one of two
  EXPECT_EQ(takes(1 * 8 + 1, 0), bytes.size());  // two of two
  EXPECT_EQ(takes(1 * 8 + 0, 0), 0u);            // two of one
  EXPECT_EQ(takes(0 * 8 + 1, 4), 0u);            // a third key that begins with 3
  EXPECT_EQ(takes(0 * 8 + 2, 0), 0u);            // the third key is missing
  EXPECT_EQ(takes(64, 0), 0u);
}

TEST(CoinRecord, RefusesTruncationAtEveryByte) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 200; ++i) {
    const std::vector<uint8_t> script(random() % 60, 0x53);
    const std::vector<uint8_t> bytes = Encode({RandomHash(random), 7}, {static_cast<Amount>(random() % kMaxMoney), 100, true, script});
    CoinRecord record;
    for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeRecord(ByteSpan(bytes).first(size), record));
  }
}

TEST(CoinRecord, NeverReadsOutsideRandomBytes) {
  std::mt19937_64 random(5);
  int decoded = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<uint8_t> bytes(random() % 120);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 40);
    CoinRecord record;
    if (!DecodeRecord(bytes, record)) continue;
    ++decoded;
    EXPECT_LE(record.size, bytes.size());
    std::vector<uint8_t> script(record.script.script_size);
    (void)DecompressScript(record.script, script.data());
  }
  EXPECT_GT(decoded, 0);
}

TEST(CoinRecord, RefusesKindsAndAmountsThatNobodyWrites) {
  const std::vector<uint8_t> script(3, 0x51);
  std::vector<uint8_t> bytes = Encode({Hash256(), 0}, {5, 1, false, script});
  CoinRecord record;
  ASSERT_TRUE(DecodeRecord(bytes, record));
  bytes[38] = 12;  // the kind
  EXPECT_FALSE(DecodeRecord(bytes, record));
  bytes[38] = 9;
  bytes[37] = 1;  // a mantissa of zero
  EXPECT_FALSE(DecodeRecord(bytes, record));
}

TEST(Varint, RefusesOverlongAndOversized) {
  uint64_t value;
  EXPECT_EQ(ReadVarint(std::vector<uint8_t>{0x80, 0x00}, value), 0u);
  EXPECT_EQ(ReadVarint(std::vector<uint8_t>{0x80}, value), 0u);
  EXPECT_EQ(ReadVarint(std::vector<uint8_t>{}, value), 0u);
  std::vector<uint8_t> large(10, 0xff);
  large[9] = 0x01;
  EXPECT_EQ(ReadVarint(large, value), 10u);
  EXPECT_EQ(value, ~uint64_t{0});
  large[9] = 0x02;
  EXPECT_EQ(ReadVarint(large, value), 0u);
}

}  // namespace
}  // namespace headrace::testing
