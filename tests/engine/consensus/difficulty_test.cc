#include "engine/consensus/difficulty.h"

#include <gtest/gtest.h>

#include <random>

#include "engine/primitives/targets.h"
#include "tests/reference/big_integer.h"
#include "tests/reference/vector_ancestry.h"

namespace headrace {
namespace {

using testing::BigInteger;
using testing::VectorAncestry;

constexpr uint32_t kEasiest = 0x1d00ffff;

// On paper: the target times the time it took, over the time that was meant, cut to three digits.
uint32_t PlainRetarget(uint32_t bits, int64_t timespan_s, const ChainParams& params) {
  timespan_s = std::max(params.target_timespan_s / 4, std::min(params.target_timespan_s * 4, timespan_s));
  const auto big = [](const Uint256& value) {
    const Hash256 hash = value.ToHash();
    return BigInteger({hash.bytes.begin(), hash.bytes.end()});
  };
  BigInteger target = big(DecodeCompact(bits).value) * BigInteger(static_cast<uint64_t>(timespan_s)) /
                      BigInteger(static_cast<uint64_t>(params.target_timespan_s));
  if (big(params.pow_limit) < target) target = big(params.pow_limit);
  std::vector<uint8_t> digits = target.digits();
  if (digits.back() >= 0x80) digits.push_back(0);
  uint32_t mantissa = 0;
  for (size_t i = 0; i < 3; ++i) mantissa = mantissa << 8 | (i < digits.size() ? digits[digits.size() - 1 - i] : 0);
  return static_cast<uint32_t>(digits.size()) << 24 | mantissa;
}

TEST(Retarget, EqualsPaperArithmetic) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  std::mt19937 random(2016);
  for (int i = 0; i < 2000; ++i) {
    // Any target from the limit down to one a few bytes long.
    const uint32_t bits = (4 + random() % 25) << 24 | (random() & 0x7fffff) | 0x8000;
    if (DecodeCompact(bits).value > params.pow_limit) continue;
    const int64_t timespan_s = static_cast<int64_t>(random() % 8'000'000) - 1'000'000;
    ASSERT_EQ(Retarget(bits, 1'500'000'000, 1'500'000'000 + timespan_s, params),
              PlainRetarget(bits, timespan_s, params))
        << std::hex << bits << std::dec << " " << timespan_s;
  }
}

// Facts of the main network: the last header of a period, the time of its first, the next bits.
TEST(Retarget, GivesTheMainNetworksFirstSteps) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  EXPECT_EQ(Retarget(0x1d00ffff, 1261130161, 1262152739, params), 0x1d00d86au);  // 32,256
  EXPECT_EQ(Retarget(0x1d00ffff, 1231006505, 1233061996, params), 0x1d00ffffu);  // 2,016: the limit
  EXPECT_EQ(Retarget(0x1c05a3f4, 1279008237, 1279297671, params), 0x1c0168fdu);  // 68,544: a factor of four
  EXPECT_EQ(Retarget(0x1c387f6f, 1263163443, 1269211443, params), 0x1d00e1fdu);  // four times easier
}

TEST(RequiredBits, ChangeOnlyAtBoundaries) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  VectorAncestry chain = VectorAncestry::Even(2014, 1'300'000'000, 300, 0x1c0ffff0);
  EXPECT_EQ(RequiredBits(chain, 0, params), 0x1c0ffff0u);
  chain.Push({1'300'000'000 + 2014 * 300, 0x1c0ffff0, 4});
  EXPECT_EQ(RequiredBits(chain, 0, params), 0x1c0ffff0u) << "height 2015 ends the period";
  chain.Push({1'300'000'000 + 2015 * 300, 0x1c0ffff0, 4});
  // 2015 intervals of half the spacing, measured against 2016.
  EXPECT_EQ(RequiredBits(chain, 0, params), PlainRetarget(0x1c0ffff0, 2015 * 300, params));
}

TEST(RequiredBits, TwentyMinuteExceptionOfTheTestNetworks) {
  const ChainParams& params = ParamsFor(ChainId::kTestnet3);
  VectorAncestry chain = VectorAncestry::Even(2020, 1'300'000'000, 600, 0x1c0ffff0);
  const uint32_t last_s = chain.At(chain.height()).time_s;
  EXPECT_EQ(RequiredBits(chain, last_s + 1200, params), 0x1c0ffff0u);
  EXPECT_EQ(RequiredBits(chain, last_s + 1201, params), kEasiest);
  // After blocks that used it, the last ordinary bits come back.
  chain.Push({last_s + 1201, kEasiest, 4});
  chain.Push({last_s + 2402, kEasiest, 4});
  EXPECT_EQ(RequiredBits(chain, last_s + 2403, params), 0x1c0ffff0u);
  EXPECT_EQ(RequiredBits(chain, last_s + 2403, ParamsFor(ChainId::kMain)), kEasiest) << "no exception on main";
}

TEST(RequiredBits, LookBackStopsAtThePeriodsFirstBlock) {
  const ChainParams& params = ParamsFor(ChainId::kTestnet3);
  VectorAncestry chain = VectorAncestry::Even(2016, 1'300'000'000, 600, 0x1c0ffff0);
  for (uint32_t i = 0; i < 3; ++i) chain.Push({1'300'000'000 + (2016 + i) * 600, kEasiest, 4});
  EXPECT_EQ(RequiredBits(chain, 1'300'000'000 + 2019 * 600, params), kEasiest);
}

TEST(RequiredBits, Bip94StartsFromThePeriodsFirstBlock) {
  VectorAncestry chain = VectorAncestry::Even(2016, 1'300'000'000, 600, 0x1c0ffff0);
  chain[2015].bits = kEasiest;
  const int64_t timespan_s = 2015 * 600;
  EXPECT_EQ(RequiredBits(chain, 0, ParamsFor(ChainId::kTestnet4)),
            PlainRetarget(0x1c0ffff0, timespan_s, ParamsFor(ChainId::kTestnet4)));
  EXPECT_EQ(RequiredBits(chain, 0, ParamsFor(ChainId::kTestnet3)),
            PlainRetarget(kEasiest, timespan_s, ParamsFor(ChainId::kTestnet3)));
}

TEST(RequiredBits, RegtestNeverRetargets) {
  const VectorAncestry chain = VectorAncestry::Even(144, 1'300'000'000, 1, 0x207fffff);
  EXPECT_EQ(RequiredBits(chain, 1'300'000'200, ParamsFor(ChainId::kRegtest)), 0x207fffffu);
}

TEST(PermittedTransition, AllowsAFactorOfFourAtBoundariesAlone) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  EXPECT_TRUE(IsPermittedTransition(2017, 0x1c0ffff0, 0x1c0ffff0, params));
  EXPECT_FALSE(IsPermittedTransition(2017, 0x1c0ffff0, 0x1c0fffef, params));
  const uint32_t easiest = PlainRetarget(0x1c0ffff0, 4 * params.target_timespan_s, params);
  const uint32_t hardest = PlainRetarget(0x1c0ffff0, params.target_timespan_s / 4, params);
  EXPECT_TRUE(IsPermittedTransition(2016, 0x1c0ffff0, easiest, params));
  EXPECT_TRUE(IsPermittedTransition(2016, 0x1c0ffff0, hardest, params));
  EXPECT_FALSE(IsPermittedTransition(2016, 0x1c0ffff0, easiest + 1, params));
  EXPECT_FALSE(IsPermittedTransition(2016, 0x1c0ffff0, hardest - 1, params));
  EXPECT_TRUE(IsPermittedTransition(2017, 0x1c0ffff0, kEasiest, ParamsFor(ChainId::kTestnet3)));
}

TEST(ProofOfWork, ComparesHashWithTarget) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  const Uint256 target = DecodeCompact(kEasiest).value;
  EXPECT_TRUE(CheckProofOfWork(target.ToHash(), kEasiest, params));
  EXPECT_FALSE(CheckProofOfWork((target + 1).ToHash(), kEasiest, params));
  EXPECT_FALSE(CheckProofOfWork(Hash256(), 0x1d010000, params)) << "easier than the limit";
  EXPECT_FALSE(CheckProofOfWork(Hash256(), 0x1d80ffff, params)) << "negative";
  EXPECT_FALSE(CheckProofOfWork(Hash256(), 0, params));
  EXPECT_FALSE(CheckProofOfWork(Hash256(), 0xff00ffff, params));
}

}  // namespace
}  // namespace headrace
