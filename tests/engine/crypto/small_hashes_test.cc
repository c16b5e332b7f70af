// Published values of the small hashes, and the fast forms against the plain ones.
#include "engine/crypto/small_hashes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hex.h"
#include "engine/crypto/crc32c_table.h"

namespace headrace {
namespace {

std::vector<uint8_t> Counting(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i);
  return bytes;
}

constexpr uint64_t kSipKey0 = 0x0706050403020100;
constexpr uint64_t kSipKey1 = 0x0f0e0d0c0b0a0908;

TEST(SmallHashes, Sha1PublishedValues) {
  EXPECT_EQ(HexEncode(Sha1({})), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(HexEncode(Sha1(AsBytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(HexEncode(Sha1(AsBytes(std::string(1'000'000, 'a')))), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST(SmallHashes, Ripemd160PublishedValues) {
  EXPECT_EQ(HexEncode(Ripemd160({})), "9c1185a5c5e9fc54612808977ee8f548b2258d31");
  EXPECT_EQ(HexEncode(Ripemd160(AsBytes("abc"))), "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
  EXPECT_EQ(HexEncode(Ripemd160(AsBytes("abcdefghijklmnopqrstuvwxyz"))), "f71c27109c692c1b56bbdceb5b9d2865b3708dbc");
  EXPECT_EQ(HexEncode(Ripemd160(AsBytes(std::string(1'000'000, 'a')))), "52783243c1697bdbe16d37f97f68f08325dc1528");
}

TEST(SmallHashes, Hash160OfTheGenerator) {
  const auto generator = HexDecode("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
  EXPECT_EQ(HexEncode(Hash160(*generator)), "751e76e8199196d454941c45d1b3a323f1433bd6");
}

TEST(SmallHashes, Sha3PublishedValues) {
  EXPECT_EQ(HexEncode(Sha3_256({})), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
  EXPECT_EQ(HexEncode(Sha3_256(AsBytes("abc"))), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

TEST(SmallHashes, SipHashPublishedValues) {
  EXPECT_EQ(SipHash24(kSipKey0, kSipKey1, {}), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(SipHash24(kSipKey0, kSipKey1, Counting(15)), 0xa129ca6149be45e5u);
  EXPECT_EQ(SipHash13(kSipKey0, kSipKey1, {}), 0xabac0158050fc4dcu);
}

TEST(SmallHashes, SipHashOfOutPointsAgreesWithTheGeneralForm) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 1000; ++round) {
    std::vector<uint8_t> outpoint(36);
    for (uint8_t& byte : outpoint) byte = static_cast<uint8_t>(random());
    const uint64_t key0 = random(), key1 = random();
    EXPECT_EQ(SipHash13OutPoint(key0, key1, outpoint.data()), SipHash13(key0, key1, outpoint));
  }
}

TEST(SmallHashes, Crc32cPublishedValues) {
  EXPECT_EQ(Crc32c({}), 0u);
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0x00)), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::vector<uint8_t>(32, 0xff)), 0x62a8ab43u);
  EXPECT_EQ(Crc32c(Counting(32)), 0x46dd794eu);
  std::vector<uint8_t> descending = Counting(32);
  std::reverse(descending.begin(), descending.end());
  EXPECT_EQ(Crc32c(descending), 0x113fdb5cu);
}

TEST(SmallHashes, Crc32cAgreesWithTheTableAndContinues) {
  std::mt19937_64 random(5);
  for (size_t size = 0; size <= 300; ++size) {
    std::vector<uint8_t> bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const uint32_t seed = static_cast<uint32_t>(random());
    EXPECT_EQ(Crc32c(bytes, seed), Crc32cByTable(bytes, seed)) << size;
    const size_t cut = random() % (size + 1);
    EXPECT_EQ(Crc32c(ByteSpan(bytes).subspan(cut), Crc32c(ByteSpan(bytes).first(cut))), Crc32c(bytes)) << size;
  }
}

}  // namespace
}  // namespace headrace
