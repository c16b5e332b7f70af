// The schedule walked through random orders of events, with actors that stand still for long in between: every place of
// the ring has one owner at a time, every transaction is given out once and after its wave's forerunners, and until all
// is done something can always happen.
#include "tools/chaingen/signing_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tools/chaingen/random.h"

namespace headrace::chaingen {
namespace {

constexpr uint32_t kBlocksInFlight = SigningSchedule::kBlocksInFlight;

enum class Owner : uint8_t { kNobody, kPlanner, kSigners, kSealer };

// One world: a planner, signers and a sealer, each between two events or in the middle of its work.
class Walk {
 public:
  Walk(uint64_t seed, uint32_t blocks, uint32_t signers)
      : random_(seed), blocks_(blocks), schedule_(blocks, signers), shares_(signers), lazy_(Below(signers + 2)) {
    for (uint32_t block = 0; block < blocks; ++block) waves_.push_back(DrawWaves());
  }

  void Run() {
    uint64_t idle = 0;
    while (sealed_ != blocks_) {
      const uint32_t actor = Below(static_cast<uint32_t>(shares_.size()) + 2);
      // One of them is a hundred times slower than the others.
      if (actor == lazy_ && Below(100) != 0) continue;
      const bool has_moved = actor == 0 ? StepPlanner() : actor == 1 ? StepSealer() : StepSigner(shares_[actor - 2]);
      if (::testing::Test::HasFatalFailure()) return;
      idle = has_moved ? 0 : idle + 1;
      ASSERT_LT(idle, 100'000u) << "nothing can happen any more";
    }
    EXPECT_TRUE(schedule_.is_all_planned());
    EXPECT_TRUE(schedule_.is_all_signed());
    EXPECT_FALSE(schedule_.CanPlan());
    EXPECT_FALSE(schedule_.HasShare());
    EXPECT_FALSE(schedule_.CanSeal());
  }

 private:
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_.Below(bound)); }
  Owner& OwnerOf(uint32_t block) { return owners_[block % kBlocksInFlight]; }

  // Half of the blocks have nothing to sign, as at the beginning of a chain and in its tail.
  std::vector<uint32_t> DrawWaves() {
    std::vector<uint32_t> ends;
    const uint32_t waves = Below(2) == 0 ? 0 : 1 + Below(4);
    for (uint32_t wave = 0, end = 0; wave < waves; ++wave) ends.push_back(end += 1 + Below(40));
    return ends;
  }

  bool StepPlanner() {
    if (is_planning_) {
      Expect(OwnerOf(planned_), Owner::kPlanner);
      OwnerOf(planned_) = waves_[planned_].empty() ? Owner::kSealer : Owner::kSigners;
      given_out_.push_back(0);
      returned_.push_back(0);
      schedule_.Planned(waves_[planned_++]);
      is_planning_ = false;
      return true;
    }
    if (!schedule_.CanPlan()) return false;
    Expect(schedule_.planned(), planned_);
    Expect(OwnerOf(planned_), Owner::kNobody);
    OwnerOf(planned_) = Owner::kPlanner;
    return is_planning_ = true;
  }

  bool StepSigner(std::optional<SigningSchedule::Share>& share) {
    if (share) {
      Expect(OwnerOf(share->block), Owner::kSigners);
      returned_[share->block] += share->end - share->begin;
      if (returned_[share->block] == waves_[share->block].back()) OwnerOf(share->block) = Owner::kSealer;
      schedule_.Return(*share);
      share.reset();
      return true;
    }
    if (!schedule_.HasShare()) return false;
    share = schedule_.TakeShare();
    Expect(OwnerOf(share->block), Owner::kSigners);
    Expect(share->begin, given_out_[share->block]);
    Expect(share->begin < share->end, true);
    given_out_[share->block] = share->end;
    for (uint32_t earlier = 0; earlier < share->block; ++earlier) Expect(IsSigned(earlier), true);
    // All of one wave, and everything before that wave is back.
    const std::vector<uint32_t>& ends = waves_[share->block];
    const auto wave = std::upper_bound(ends.begin(), ends.end(), share->begin);
    Expect(wave != ends.end() && share->end <= *wave, true);
    Expect(wave == ends.begin() || returned_[share->block] >= *(wave - 1), true);
    return true;
  }

  bool StepSealer() {
    if (is_sealing_) {
      Expect(OwnerOf(sealed_), Owner::kSealer);
      OwnerOf(sealed_) = Owner::kNobody;
      schedule_.Release();
      ++sealed_;
      is_sealing_ = false;
      return true;
    }
    if (!schedule_.CanSeal()) return false;
    Expect(schedule_.released(), sealed_);
    Expect(OwnerOf(sealed_), Owner::kSealer);
    return is_sealing_ = true;
  }

  bool IsSigned(uint32_t block) const { return waves_[block].empty() || returned_[block] == waves_[block].back(); }

  // Fatal to the walk from within a step that returns whether it moved.
  template <typename T>
  static void Expect(const T& a, const T& b) {
    ASSERT_EQ(a, b);
  }

  Random random_;
  const uint32_t blocks_;
  SigningSchedule schedule_;
  std::vector<std::optional<SigningSchedule::Share>> shares_;
  const uint32_t lazy_;
  std::vector<std::vector<uint32_t>> waves_;
  std::array<Owner, kBlocksInFlight> owners_{};
  std::vector<uint32_t> given_out_, returned_;
  uint32_t planned_ = 0, sealed_ = 0;
  bool is_planning_ = false, is_sealing_ = false;
};

TEST(SigningSchedule, EveryPlaceHasOneOwner) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Walk walk(seed, 1 + static_cast<uint32_t>(seed * 7 % 100), 1 + static_cast<uint32_t>(seed % 6));
    walk.Run();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

TEST(SigningSchedule, EmptyBlocksPassAtOnce) {
  SigningSchedule schedule(3, 2);
  schedule.Planned({});
  EXPECT_EQ(schedule.signed_blocks(), 1u);
  EXPECT_TRUE(schedule.CanSeal());
  const std::vector<uint32_t> one = {1};
  schedule.Planned(one);
  schedule.Planned({});
  EXPECT_EQ(schedule.signed_blocks(), 1u) << "one that is signed waits for those before it";
  schedule.Return(schedule.TakeShare());
  EXPECT_TRUE(schedule.is_all_signed());
}

TEST(SigningSchedule, SharesGetSmallerTowardsTheEndOfAWave) {
  SigningSchedule schedule(1, 2);
  const std::vector<uint32_t> ends = {100};
  schedule.Planned(ends);
  uint32_t last = UINT32_MAX, position = 0;
  while (schedule.HasShare()) {
    const SigningSchedule::Share share = schedule.TakeShare();
    EXPECT_EQ(share.begin, position);
    EXPECT_LE(share.end - share.begin, last);
    last = share.end - share.begin;
    position = share.end;
  }
  EXPECT_EQ(position, 100u);
  EXPECT_EQ(last, 1u);
}

}  // namespace
}  // namespace headrace::chaingen
