// One group of addresses floods the book: what is left of the others, and how often they are chosen.
//
// What holds, and why: all addresses of one group, told by sources of one group, have one new bucket. So 100,000 of them take
// 64 slots of 65,536 however they come, and of the draws from new no more than that bucket's share. Told by sources of many
// groups they have a bucket for each (at most 64 slots): an attacker with N groups of sources takes at most N buckets of
// 1024, which the last test shows. It takes many groups, not many addresses.
#include "net/discovery/address_book.h"
#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;

constexpr uint32_t kHonest = 10'000;
constexpr uint32_t kFlood = 100'000;
constexpr uint32_t kAttackGroup = 14'000;

class EclipseTest : public testing::BookTest {
 protected:
  EclipseTest() : BookTest(11) {}

  // Varied groups (5000 of them, two nodes in each) and varied sources (200 groups).
  static NodeAddress Honest(uint32_t i) { return HostInGroup(i % 5'000, 1 + i / 5'000); }
  static NodeAddress HonestSource(uint32_t i) { return HostInGroup(6'000 + i % 200, 9); }
  static NodeAddress Attacker(uint32_t i) {
    return HostInGroup(kAttackGroup, i % 50'000, static_cast<uint16_t>(8'333 + i / 50'000));
  }

  void TellHonest(uint32_t begin, uint32_t end) {
    for (uint32_t i = begin; i < end; ++i) Add(book_, Honest(i), HonestSource(i * 31 + i / 7));
  }
  void Flood(uint32_t begin, uint32_t end, uint32_t source_groups) {
    for (uint32_t i = begin; i < end; ++i) Add(book_, Attacker(i), HostInGroup(kAttackGroup + i % source_groups, 1));
  }
  uint32_t HonestLeft() const {
    uint32_t left = 0;
    for (uint32_t i = 0; i < kHonest; ++i) left += book_.Find(Honest(i)) ? 1 : 0;
    return left;
  }
  uint32_t AttackersIn() const {
    uint32_t in = 0;
    for (const BookImageEntry& entry : book_.Export().entries) in += entry.address.Group() == Attacker(0).Group() ? 1 : 0;
    return in;
  }
  double AttackersShareOfDraws() {
    constexpr int kDraws = 20'000;
    int drawn = 0;
    for (int i = 0; i < kDraws; ++i) drawn += book_.Select(AddressBook::From::kNew)->address.Group() == Attacker(0).Group() ? 1 : 0;
    return static_cast<double>(drawn) / kDraws;
  }
  void ExpectHonestPrevail() {
    ExpectSound(book_);
    EXPECT_GE(HonestLeft(), kHonest * 9 / 10);
    EXPECT_LE(AttackersIn(), BucketTable::kSlots);
    EXPECT_LT(AttackersShareOfDraws(), 0.005) << "one bucket of a thousand";
  }

  AddressBook book_{false, clock_, entropy_};
};

TEST_F(EclipseTest, AFloodAfterTheHonest) {
  TellHonest(0, kHonest);
  Flood(0, kFlood, 1);
  ExpectHonestPrevail();
}

TEST_F(EclipseTest, AFloodBeforeTheHonest) {
  Flood(0, kFlood, 1);
  TellHonest(0, kHonest);
  ExpectHonestPrevail();
}

TEST_F(EclipseTest, AFloodBetweenTheHonest) {
  constexpr uint32_t kRounds = 100;
  for (uint32_t round = 0; round < kRounds; ++round) {
    Flood(round * (kFlood / kRounds), (round + 1) * (kFlood / kRounds), 1);
    TellHonest(round * (kHonest / kRounds), (round + 1) * (kHonest / kRounds));
    Pass(60);
  }
  ExpectHonestPrevail();
}

TEST_F(EclipseTest, ThoseThatWereSpokenWithAreOutOfReach) {
  TellHonest(0, kHonest);
  constexpr uint32_t kSpokenWith = 50;
  for (uint32_t i = 0; i < kSpokenWith; ++i) book_.Good(Honest(i));
  const size_t tried = book_.tried_count();
  EXPECT_GT(tried, kSpokenWith - 5);
  Flood(0, kFlood, 1'000);
  EXPECT_EQ(book_.tried_count(), tried);
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(book_.Select(AddressBook::From::kTried)->address.Group(), Attacker(0).Group());
  }
}

TEST_F(EclipseTest, GroupsOfSourcesAreWhatItTakes) {
  TellHonest(0, kHonest);
  const uint32_t left_before = HonestLeft();
  constexpr uint32_t kSourceGroups = 50;
  Flood(0, kFlood, kSourceGroups);
  EXPECT_LE(AttackersIn(), kSourceGroups * BucketTable::kSlots);
  EXPECT_GT(AttackersIn(), 20 * BucketTable::kSlots) << "more groups do take more";
  EXPECT_EQ(HonestLeft(), left_before) << "whoever is there and worth something is not displaced";
  EXPECT_LT(AttackersShareOfDraws(), 0.08);
}

}  // namespace
}  // namespace headrace
