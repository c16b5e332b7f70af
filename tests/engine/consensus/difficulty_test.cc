#include "engine/consensus/difficulty.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>

#include "engine/primitives/block_header.h"
#include "engine/primitives/targets.h"
#include "tests/reference/plain_difficulty.h"
#include "tests/reference/vector_ancestry.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::PlainRetarget;
using testing::VectorAncestry;

constexpr uint32_t kEasiest = 0x1d00ffff;

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

constexpr ChainId kAllChains[] = {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4, ChainId::kSignet,
                                  ChainId::kRegtest};

// A chain that wanders: quick, slow and warped times, and where the network allows it, blocks that use the exception.
class WanderingChain {
 public:
  WanderingChain(const ChainParams& params, uint32_t seed, uint32_t bits) : params_(params), random_(seed) {
    facts_.push_back({1'300'000'000, bits, 4});
  }

  // Holds the engine against the twins on the next header, which then joins the chain.
  void Step() {
    const VectorAncestry ancestry(facts_);
    const uint32_t time_s = NextTime();
    const uint32_t bits = RequiredBits(ancestry, time_s, params_);
    ASSERT_EQ(bits, testing::PlainRequiredBits(facts_, time_s, params_)) << params_.name << " height " << facts_.size();
    ASSERT_EQ(MedianTimePast(ancestry, ancestry.height()), testing::PlainMedianTime(facts_)) << facts_.size();
    const uint32_t height = static_cast<uint32_t>(facts_.size());
    ASSERT_TRUE(IsPermittedTransition(height, facts_.back().bits, bits, params_))
        << params_.name << " height " << height;
    is_changed_ |= bits != facts_.back().bits;
    facts_.push_back({time_s, bits, 4});
  }
  bool is_changed() const { return is_changed_; }
  size_t size() const { return facts_.size(); }

 private:
  uint32_t NextTime() {
    const uint32_t last_s = facts_.back().time_s;
    // A mood lasts for some blocks, so that whole periods are quick or slow.
    if (random_() % 64 == 0) spacing_s_ = 1 + random_() % 3000;
    switch (random_() % 16) {
      case 0:
        return last_s + 1200;  // the last second that is not twenty minutes late
      case 1:
        return last_s + 1201;
      case 2:
        return last_s - random_() % 7200;
      case 3:
        return last_s + random_() % 100'000;
      default:
        return last_s + random_() % (2 * spacing_s_);
    }
  }

  const ChainParams& params_;
  std::mt19937 random_;
  std::vector<HeaderFacts> facts_;
  uint32_t spacing_s_ = 600;
  bool is_changed_ = false;
};

// Each network's own rules; a shorter period, so that many boundaries are passed.
TEST(RequiredBits, EqualsPlainTwinOnWanderingChains) {
  uint64_t headers = 0;
  for (const ChainId id : kAllChains) {
    ChainParams params = ParamsFor(id);
    params.target_timespan_s = 24 * params.target_spacing_s;
    for (uint32_t seed = 0; seed < 8; ++seed) {
      WanderingChain chain(params, seed, seed % 2 == 0 ? EncodeCompact(params.pow_limit) : 0x1b04864c);
      for (int i = 0; i < 400 && !::testing::Test::HasFatalFailure(); ++i) chain.Step();
      // Without retargets the exception is all that changes anything, and from the easiest target it does not.
      EXPECT_EQ(chain.is_changed(), params.retargets || seed % 2 != 0) << params.name;
      headers += chain.size();
    }
  }
  std::cout << headers << " headers\n";
}

TEST(RequiredBits, EqualsPlainTwinAtTheRealPeriodsLength) {
  for (const ChainId id : {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4}) {
    const ChainParams& params = ParamsFor(id);
    std::mt19937 random(94);
    std::vector<HeaderFacts> facts;
    uint32_t time_s = 1'400'000'000;
    const uint32_t easiest = EncodeCompact(params.pow_limit);
    for (uint32_t height = 0; height < 2 * params.difficulty_interval(); ++height) {
      const bool uses_exception = params.allows_min_difficulty_blocks && random() % 3 == 0;
      facts.push_back({time_s, uses_exception ? easiest : 0x1b04864c - height / params.difficulty_interval(), 4});
      time_s += random() % 1300;
    }
    // Every parent near a boundary, and some others.
    for (size_t count = 1; count <= facts.size(); ++count) {
      if (count % params.difficulty_interval() > 3 && random() % 100 != 0) continue;
      const std::vector<HeaderFacts> chain(facts.begin(), facts.begin() + static_cast<std::ptrdiff_t>(count));
      for (const uint32_t delta_s : {0u, 1200u, 1201u}) {
        const uint32_t next_s = chain.back().time_s + delta_s;
        ASSERT_EQ(RequiredBits(VectorAncestry(chain), next_s, params),
                  testing::PlainRequiredBits(chain, next_s, params))
            << params.name << " height " << count << " after " << delta_s;
      }
    }
  }
}

TEST(PermittedTransition, EqualsPlainTwin) {
  std::mt19937 random(4);
  std::map<bool, int> verdicts;
  for (const ChainId id : kAllChains) {
    const ChainParams& params = ParamsFor(id);
    for (int i = 0; i < 600; ++i) {
      const uint32_t height = random() % 4 == 0 ? random() % 5000 : params.difficulty_interval() * (1 + random() % 400);
      const uint32_t old_bits = (0x18 + random() % 5) << 24 | 0x008000 | (random() & 0x7fffff);
      if (DecodeCompact(old_bits).value > params.pow_limit) continue;
      // Near the two limits, at them, and anywhere.
      uint32_t new_bits = (0x18 + random() % 5) << 24 | 0x008000 | (random() & 0x7fffff);
      if (random() % 4 != 0) {
        const int64_t factor = random() % 2 == 0 ? params.target_timespan_s * 4 : params.target_timespan_s / 4;
        new_bits = PlainRetarget(old_bits, factor, params) + random() % 5 - 2;
      } else if (random() % 4 == 0) {
        new_bits = old_bits;
      }
      const bool permitted = IsPermittedTransition(height, old_bits, new_bits, params);
      ASSERT_EQ(permitted, testing::PlainIsPermittedTransition(height, old_bits, new_bits, params))
          << params.name << " " << height << std::hex << " " << old_bits << " " << new_bits;
      if (!params.allows_min_difficulty_blocks) ++verdicts[permitted];
    }
  }
  EXPECT_GT(verdicts[true], 200);
  EXPECT_GT(verdicts[false], 200);
}

TEST(Compact, EqualsPlainTwin) {
  std::mt19937 random(32);
  for (int i = 0; i < 20'000; ++i) {
    const uint32_t bits = (random() % 40) << 24 | (random() & 0xffffff) >> (random() % 3 * 8);
    const CompactTarget target = DecodeCompact(bits);
    const testing::BigInteger plain = testing::PlainTarget(bits);
    ASSERT_EQ(target.overflows, plain.digits().size() > 32) << std::hex << bits;
    ASSERT_EQ(target.is_negative, testing::PlainIsNegative(bits)) << std::hex << bits;
    if (target.overflows) continue;
    const Hash256 value = target.value.ToHash();
    ASSERT_EQ(testing::BigInteger({value.bytes.begin(), value.bytes.end()}), plain) << std::hex << bits;
    ASSERT_EQ(EncodeCompact(target.value), testing::PlainBits(plain)) << std::hex << bits;
  }
}

// Real headers: what the network carried, what the engine requires and what the twins require is all the same.
TEST(RequiredBits, RealHeadersEqualPlainTwin) {
  HR_NEEDS_DATA("mainnet/headers-822528-830592.bin");
  const std::vector<uint8_t> file =
      testing::ReadFileBytes(testing::DataDirectory() + "/mainnet/headers-822528-830592.bin");
  const ChainParams& params = ParamsFor(ChainId::kMain);
  // Heights count from the first header, which begins a period.
  std::vector<HeaderFacts> facts;
  VectorAncestry ancestry;
  size_t boundaries = 0;
  for (size_t at = 0; at + BlockHeader::kSerializedBytes <= file.size(); at += BlockHeader::kSerializedBytes) {
    const BlockHeader header = BlockHeader::Load(&file[at]);
    const uint32_t height = static_cast<uint32_t>(facts.size());
    if (height > 0) {
      ASSERT_EQ(testing::PlainRequiredBits(facts, header.time_s, params), header.bits) << height;
      ASSERT_EQ(RequiredBits(ancestry, header.time_s, params), header.bits) << height;
      ASSERT_EQ(MedianTimePast(ancestry, height - 1), testing::PlainMedianTime(facts)) << height;
      ASSERT_TRUE(testing::PlainIsPermittedTransition(height, facts.back().bits, header.bits, params)) << height;
      boundaries += height % params.difficulty_interval() == 0;
    }
    facts.push_back({header.time_s, header.bits, header.version});
    ancestry.Push(facts.back());
  }
  EXPECT_GT(boundaries, 0u);
  std::cout << facts.size() << " headers, " << boundaries << " boundaries\n";
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
