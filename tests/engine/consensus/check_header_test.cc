#include "engine/consensus/check_header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/consensus/block_context.h"
#include "engine/consensus/difficulty.h"
#include "tests/reference/vector_ancestry.h"

namespace headrace {
namespace {

using testing::VectorAncestry;

constexpr uint32_t kFirst_s = 1'700'000'000;
constexpr uint32_t kEasiest = 0x1d00ffff;

struct HeaderFixture {
  VectorAncestry chain = VectorAncestry::Even(2010, kFirst_s, 600, kEasiest);
  BlockHeader header;
  int64_t now_s = kFirst_s + 2010 * 600;

  HeaderFixture() {
    header.version = 4;
    header.bits = kEasiest;
    header.time_s = kFirst_s + 2010 * 600;
  }
  std::string Reason(ChainId id) const {
    return CheckHeaderContext(header, chain, ParamsFor(id), now_s).RejectReason();
  }
};

TEST(CheckHeader, AcceptsAGoodOne) { EXPECT_EQ(HeaderFixture().Reason(ChainId::kTestnet4), ""); }

TEST(CheckHeader, RefusesWrongBitsFirst) {
  HeaderFixture f;
  f.header.bits = kEasiest - 1;
  f.header.time_s = 0;
  EXPECT_EQ(f.Reason(ChainId::kTestnet4), "bad-diffbits");
}

TEST(CheckHeader, TimeMustPassTheMedian) {
  HeaderFixture f;
  const int64_t median_s = MedianTimePast(f.chain, f.chain.height());
  EXPECT_EQ(median_s, kFirst_s + 2004 * 600);
  f.header.time_s = static_cast<uint32_t>(median_s);
  EXPECT_EQ(f.Reason(ChainId::kTestnet4), "time-too-old");
  ++f.header.time_s;
  EXPECT_EQ(f.Reason(ChainId::kTestnet4), "");
}

TEST(CheckHeader, TimeMayBeTwoHoursAhead) {
  HeaderFixture f;
  f.now_s = int64_t{f.header.time_s} - kMaxFutureBlockTime_s;
  EXPECT_EQ(f.Reason(ChainId::kMain), "");
  --f.now_s;
  EXPECT_EQ(f.Reason(ChainId::kMain), "time-too-new");
}

TEST(CheckHeader, TimeMustNotWarpAtABoundary) {
  HeaderFixture f;
  while (f.chain.height() < 2015) f.chain.Push({kFirst_s + (f.chain.height() + 1) * 600, kEasiest, 4});
  f.header.bits = RequiredBits(f.chain, 0, ParamsFor(ChainId::kTestnet4));
  f.header.time_s = f.chain.At(2015).time_s - 600;
  EXPECT_EQ(f.Reason(ChainId::kTestnet4), "");
  --f.header.time_s;
  EXPECT_EQ(f.Reason(ChainId::kTestnet4), "time-timewarp-attack");
  EXPECT_EQ(f.Reason(ChainId::kTestnet3), "") << "BIP94 is testnet4's";
}

TEST(CheckHeader, OldVersionsEndWithTheirRules) {
  const struct {
    uint32_t height;
    int32_t version;
    std::string reason;
  } cases[] = {
      {227'930, 1, ""}, {227'931, 1, "bad-version(0x00000001)"}, {227'931, 2, ""},
      {363'724, 2, ""}, {363'725, 2, "bad-version(0x00000002)"}, {363'725, 3, ""},
      {388'380, 3, ""}, {388'381, 3, "bad-version(0x00000003)"}, {388'381, 4, ""},
      {388'381, -1, "bad-version(0xffffffff)"},
  };
  // A chain of that height whose headers are alike.
  class Tall final : public Ancestry {
   public:
    explicit Tall(uint32_t height) : height_(height) {}
    uint32_t height() const override { return height_; }
    HeaderFacts At(uint32_t height) const override { return {height * 600, 0x1b0404cb, 4}; }

   private:
    uint32_t height_;
  };
  for (const auto& c : cases) {
    BlockHeader header;
    header.version = c.version;
    header.bits = 0x1b0404cb;
    header.time_s = c.height * 600;
    EXPECT_EQ(CheckHeaderContext(header, Tall(c.height - 1), ParamsFor(ChainId::kMain), c.height * 600).RejectReason(),
              c.reason)
        << c.height << " version " << c.version;
  }
}

TEST(MedianTimePast, IsTheMiddleOfTheLastEleven) {
  std::mt19937 random(11);
  VectorAncestry chain;
  std::vector<uint32_t> times;
  for (uint32_t height = 0; height < 200; ++height) {
    times.push_back(random() % 1000);
    chain.Push({times.back(), 0, 0});
    std::vector<uint32_t> last(times.end() - std::min<size_t>(times.size(), 11), times.end());
    std::sort(last.begin(), last.end());
    ASSERT_EQ(MedianTimePast(chain, height), last[last.size() / 2]);
  }
}

TEST(BlockContext, FollowsFromHeightAndHash) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  const VectorAncestry chain = VectorAncestry::Even(1, kFirst_s, 600, 0x207fffff);
  BlockHeader header;
  header.time_s = kFirst_s + 900;
  const BlockContext context = MakeBlockContext(header, Hash256(), chain, params);
  EXPECT_EQ(context.height, 1u);
  EXPECT_EQ(context.median_time_past, kFirst_s);
  EXPECT_EQ(context.lock_time_cutoff, kFirst_s) << "BIP113 holds from height 1";
  EXPECT_TRUE(context.bip34 && context.csv && context.segwit && !context.bip30_exception);
  EXPECT_EQ(context.script_flags, kVerifyP2sh | kVerifyWitness | kVerifyTaproot | kVerifyDerSignatures |
                                      kVerifyCheckLockTimeVerify | kVerifyCheckSequenceVerify | kVerifyNullDummy);

  const BlockContext early = MakeBlockContext(header, Hash256(), chain, ParamsFor(ChainId::kMain));
  EXPECT_EQ(early.script_flags, kVerifyP2sh | kVerifyWitness | kVerifyTaproot);
  EXPECT_EQ(early.lock_time_cutoff, header.time_s);
  EXPECT_FALSE(early.bip34 || early.csv || early.segwit);
}

TEST(BlockContext, KnowsTheExceptions) {
  const ChainParams& params = ParamsFor(ChainId::kMain);
  ASSERT_FALSE(params.bip30_exceptions.empty());
  for (const BlockAt& exception : params.bip30_exceptions) {
    const VectorAncestry chain = VectorAncestry::Even(exception.height, 0, 600, kEasiest);
    EXPECT_TRUE(MakeBlockContext({}, exception.hash, chain, params).bip30_exception);
    EXPECT_FALSE(MakeBlockContext({}, Hash256(), chain, params).bip30_exception);
    EXPECT_FALSE(MakeBlockContext({}, exception.hash, VectorAncestry::Even(5, 0, 1, 0), params).bip30_exception);
  }
  const VectorAncestry chain = VectorAncestry::Even(10, 0, 600, kEasiest);
  for (const ScriptFlagException& exception : params.script_flag_exceptions) {
    EXPECT_EQ(MakeBlockContext({}, exception.block, chain, params).script_flags, exception.flags);
  }
}

}  // namespace
}  // namespace headrace
