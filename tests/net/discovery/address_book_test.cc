// The rules of the address book one by one, and all of them under random use.
#include "net/discovery/address_book.h"

#include <map>

#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;
using testing::kFullServices;

constexpr int64_t kHour = 3600;
constexpr int64_t kDay = 24 * kHour;
const NodeAddress kSource = HostInGroup(9'000, 1);

using AddressBookTest = testing::BookTest;

TEST_F(AddressBookTest, UnroutableAddressesAreForRegtestAlone) {
  AddressBook internet(false, clock_, entropy_);
  AddressBook building(true, clock_, entropy_);
  const NodeAddress loopback = NodeAddress::Of(Address::Ipv4(127, 0, 0, 1, 18444));
  EXPECT_FALSE(Add(internet, loopback, kSource));
  EXPECT_TRUE(Add(building, loopback, kSource));
  EXPECT_FALSE(Add(building, NodeAddress::Of(Address::Ipv4(0, 0, 0, 0, 18444)), kSource));
  EXPECT_TRUE(Add(internet, HostInGroup(1, 1), kSource));
  EXPECT_EQ(internet.size(), 1u);
  EXPECT_EQ(building.size(), 1u);
}

TEST_F(AddressBookTest, AnEmptyBookHasNobody) {
  AddressBook book(false, clock_, entropy_);
  for (const auto from : {AddressBook::From::kEither, AddressBook::From::kNew, AddressBook::From::kTried}) {
    EXPECT_FALSE(book.Select(from).has_value());
  }
  EXPECT_FALSE(book.SelectDefender().has_value());
  EXPECT_TRUE(book.Sample(1000, 100).empty());
  book.ResolveContests();
  book.Attempt(kSource, true);
  EXPECT_FALSE(book.Good(kSource));
  ExpectSound(book);
}

TEST_F(AddressBookTest, HearsayIsOlderThanItSays) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress address = HostInGroup(1, 1);
  const int64_t now_s = clock_.UnixSeconds();
  book.Add(Heard(address, 100), kSource, 2 * kHour);
  EXPECT_EQ(book.Find(address)->time_s, now_s - 100 - 2 * kHour);
  // Of itself a node tells the truth, or lies without help.
  const NodeAddress honest = HostInGroup(2, 1);
  book.Add(Heard(honest, 100), honest, 2 * kHour);
  EXPECT_EQ(book.Find(honest)->time_s, now_s - 100);
  // News within the hour are none; later ones are, and services add up.
  book.Add({honest, kNodeBloom, now_s + 10}, kSource, 0);
  EXPECT_EQ(book.Find(honest)->time_s, now_s - 100);
  EXPECT_EQ(book.Find(honest)->services, kFullServices | kNodeBloom);
  Pass(2 * kHour);
  book.Add(Heard(honest), kSource, 0);
  EXPECT_EQ(book.Find(honest)->time_s, clock_.UnixSeconds());
}

TEST_F(AddressBookTest, AnAddressHasAtMostEightNewBuckets) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress address = HostInGroup(1, 1);
  size_t most = 0;
  for (uint32_t source = 0; source < 5'000; ++source) {
    Pass(1);
    Add(book, address, HostInGroup(source, 7));
    most = std::max<size_t>(most, book.Find(address)->new_buckets);
  }
  EXPECT_EQ(most, 8u) << "and many sources do fill them";
  EXPECT_EQ(book.size(), 1u);
  ExpectSound(book);
}

TEST_F(AddressBookTest, OneSourceGroupFillsItsBucketsAndNoMore) {
  AddressBook book(false, clock_, entropy_);
  for (uint32_t i = 0; i < 30'000; ++i) Add(book, HostInGroup(i % 9'000, i / 9'000), HostInGroup(9'500, i % 200));
  std::set<uint16_t> buckets;
  for (const BookImageEntry& entry : book.Export().entries) buckets.insert(entry.new_buckets.begin(), entry.new_buckets.end());
  EXPECT_LE(buckets.size(), AddressBook::kNewBucketsPerSource);
  EXPECT_GT(buckets.size(), AddressBook::kNewBucketsPerSource / 2);
  EXPECT_LE(book.size(), size_t{AddressBook::kNewBucketsPerSource} * BucketTable::kSlots);
  ExpectSound(book);
}

TEST_F(AddressBookTest, OneGroupFillsItsTriedBucketsAndNoMore) {
  AddressBook book(false, clock_, entropy_);
  for (uint32_t i = 0; i < 20'000; ++i) {
    const NodeAddress address = HostInGroup(1, i % 60'000, static_cast<uint16_t>(1 + i / 60'000));
    Add(book, address, HostInGroup(i % 9'000, 1));
    book.Good(address);
  }
  EXPECT_LE(book.tried_count(), size_t{AddressBook::kTriedBucketsPerGroup} * BucketTable::kSlots);
  EXPECT_GT(book.tried_count(), size_t{AddressBook::kTriedBucketsPerGroup} * BucketTable::kSlots / 2);
  ExpectSound(book);
}

TEST_F(AddressBookTest, WorthIsLostAfterAMonthOrFailures) {
  KnownAddress known;
  const int64_t now_s = clock_.UnixSeconds();
  known.time_s = now_s;
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s));
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s + 30 * kDay));
  EXPECT_TRUE(AddressBook::IsWorthless(known, now_s + 30 * kDay + 1));
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s - 600));
  EXPECT_TRUE(AddressBook::IsWorthless(known, now_s - 601)) << "it flew in from the future";
  known.attempts = 2;
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s));
  known.attempts = 3;
  EXPECT_TRUE(AddressBook::IsWorthless(known, now_s)) << "three failures and never an answer";
  known.last_attempt_s = now_s - 60;
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s)) << "it may be about to answer";
  known.last_attempt_s = now_s - 61;
  known.last_success_s = now_s - 7 * kDay;
  known.attempts = 100;
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s));
  known.last_success_s = now_s - 7 * kDay - 1;
  EXPECT_TRUE(AddressBook::IsWorthless(known, now_s));
  known.attempts = 9;
  EXPECT_FALSE(AddressBook::IsWorthless(known, now_s));
}

TEST_F(AddressBookTest, TheWorthlessGiveWay) {
  AddressBook book(false, clock_, entropy_);
  // One group from one group of sources: one bucket of 64 slots, filled to the brim.
  for (uint32_t i = 0; i < 2'000; ++i) Add(book, HostInGroup(1, i), kSource);
  EXPECT_EQ(book.size(), BucketTable::kSlots);
  const std::vector<BookImageEntry> old_entries = book.Export().entries;
  for (uint32_t i = 2'000; i < 4'000; ++i) Add(book, HostInGroup(1, i), kSource);
  for (const BookImageEntry& entry : old_entries) EXPECT_TRUE(book.Find(entry.address)) << "those who were there stay";
  Pass(31 * kDay);
  for (uint32_t i = 4'000; i < 6'000; ++i) Add(book, HostInGroup(1, i), kSource);
  for (const BookImageEntry& entry : old_entries) EXPECT_FALSE(book.Find(entry.address)) << "after a month they do not";
  EXPECT_EQ(book.size(), BucketTable::kSlots);
  ExpectSound(book);
}

TEST_F(AddressBookTest, FailuresCountOncePerOutage) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress address = HostInGroup(1, 1);
  const NodeAddress other = HostInGroup(2, 1);
  Add(book, address, kSource);
  Add(book, other, kSource);
  for (int i = 0; i < 5; ++i) {
    Pass(100);
    book.Attempt(address, true);
  }
  EXPECT_EQ(book.Find(address)->attempts, 1) << "nobody answered meanwhile: it may be this node that is cut off";
  book.Attempt(address, false);
  EXPECT_EQ(book.Find(address)->attempts, 1);
  for (int i = 0; i < 5; ++i) {
    book.Good(other);
    Pass(100);
    book.Attempt(address, true);
    Pass(100);
  }
  EXPECT_EQ(book.Find(address)->attempts, 6);
  book.Good(address);
  EXPECT_EQ(book.Find(address)->attempts, 0);
  EXPECT_TRUE(book.Find(address)->is_tried);
}

TEST_F(AddressBookTest, ConnectedAndServicesAreRemembered) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress address = HostInGroup(1, 1);
  Add(book, address, kSource, 10 * 60);
  const int64_t told_s = book.Find(address)->time_s;
  book.Connected(address);
  EXPECT_EQ(book.Find(address)->time_s, told_s) << "not to the minute: that would tell too much";
  Pass(20 * 60);
  book.Connected(address);
  EXPECT_EQ(book.Find(address)->time_s, clock_.UnixSeconds());
  const uint64_t changes = book.change_count();
  book.SetServices(address, kNodeNetworkLimited);
  EXPECT_EQ(book.Find(address)->services, kNodeNetworkLimited);
  EXPECT_GT(book.change_count(), changes);
}

TEST_F(AddressBookTest, SelectPrefersWhatWasNotJustDialled) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress dialled = HostInGroup(1, 1);
  const NodeAddress rested = HostInGroup(2, 1);
  Add(book, dialled, kSource);
  Add(book, rested, HostInGroup(8'000, 1));
  book.Attempt(dialled, false);
  std::map<NodeAddress, int> drawn;
  constexpr int kDraws = 4'000;
  for (int i = 0; i < kDraws; ++i) ++drawn[book.Select(AddressBook::From::kEither)->address];
  EXPECT_EQ(drawn[dialled] + drawn[rested], kDraws);
  // One in a hundred; patience adds a little.
  EXPECT_LT(drawn[dialled], kDraws / 25);
  Pass(11 * 60);
  drawn.clear();
  for (int i = 0; i < kDraws; ++i) ++drawn[book.Select(AddressBook::From::kNew)->address];
  EXPECT_GT(drawn[dialled], kDraws / 3);
  EXPECT_FALSE(book.Select(AddressBook::From::kTried).has_value());
}

TEST_F(AddressBookTest, SelectPrefersWhatDidNotFail) {
  AddressBook book(false, clock_, entropy_);
  const NodeAddress failing = HostInGroup(1, 1);
  const NodeAddress fine = HostInGroup(2, 1);
  Add(book, failing, kSource);
  Add(book, fine, HostInGroup(8'000, 1));
  for (int i = 0; i < 2; ++i) {
    book.Good(kSource);
    Pass(60);
    book.Attempt(failing, true);
    Pass(kHour);
  }
  EXPECT_EQ(book.Find(failing)->attempts, 2);
  int failing_drawn = 0;
  constexpr int kDraws = 10'000;
  for (int i = 0; i < kDraws; ++i) failing_drawn += book.Select(AddressBook::From::kNew)->address == failing ? 1 : 0;
  // 0.66 squared against 1, and patience that evens it out a little.
  EXPECT_GT(failing_drawn, kDraws / 4);
  EXPECT_LT(failing_drawn, kDraws * 2 / 5);
}

TEST_F(AddressBookTest, TriedAndNewAreDrawnAlike) {
  AddressBook book(false, clock_, entropy_);
  for (uint32_t i = 0; i < 500; ++i) Add(book, HostInGroup(i, 1), HostInGroup(i + 3'000, 1));
  const NodeAddress tried = HostInGroup(1, 1);
  EXPECT_TRUE(book.Good(tried));
  Pass(kHour);
  int tried_drawn = 0;
  constexpr int kDraws = 2'000;
  for (int i = 0; i < kDraws; ++i) tried_drawn += book.Select(AddressBook::From::kEither)->is_tried ? 1 : 0;
  EXPECT_NEAR(tried_drawn, kDraws / 2, kDraws / 8);
  EXPECT_EQ(book.Select(AddressBook::From::kTried)->address, tried);
}

TEST_F(AddressBookTest, SamplesAreAPartWithoutTheWorthless) {
  AddressBook book(false, clock_, entropy_);
  for (uint32_t i = 0; i < 3'000; ++i) Add(book, HostInGroup(i, 1), HostInGroup(i % 300 + 5'000, 1), i % 2 == 0 ? 0 : 31 * kDay);
  const size_t size = book.size();
  EXPECT_EQ(book.Sample(1000, 23).size(), size * 23 / 100);
  EXPECT_EQ(book.Sample(100, 23).size(), 100u);
  const std::vector<HeardAddress> all = book.Sample(100'000, 100);
  std::set<NodeAddress> different;
  for (const HeardAddress& heard : all) {
    EXPECT_LE(clock_.UnixSeconds() - heard.time_s, 30 * kDay);
    different.insert(heard.address);
  }
  EXPECT_EQ(different.size(), all.size());
  EXPECT_GT(all.size(), size / 3);
  EXPECT_LT(all.size(), size * 2 / 3);
  // Another draw is another sample.
  EXPECT_NE(book.Sample(50, 23), book.Sample(50, 23));
  ExpectSound(book);
}

// A challenger for the slot of somebody who answered `age_s` ago.
class ContestTest : public testing::BookTest {
 protected:
  void MakeContest(int64_t age_s) {
    uint32_t i = 0;
    for (; book_.contest_count() == 0 && i < 20'000; ++i) Meet(i);
    ASSERT_EQ(book_.contest_count(), 1u);
    // What was made on the way is settled.
    book_.ResolveContests();
    ASSERT_EQ(book_.contest_count(), 0u);
    Pass(age_s);
    for (; book_.contest_count() == 0 && i < 40'000; ++i) {
      Meet(i);
      // Not of somebody who came after the pause.
      const bool is_late = book_.contest_count() != 0 &&
                           clock_.UnixSeconds() - book_.SelectDefender()->last_success_s < age_s;
      if (is_late) book_.ResolveContests();
    }
    ASSERT_EQ(book_.contest_count(), 1u);
    defender_ = book_.SelectDefender()->address;
    challenger_ = last_;
    ASSERT_FALSE(book_.Find(challenger_)->is_tried);
    ASSERT_NE(defender_, challenger_);
  }
  void Meet(uint32_t i) {
    last_ = HostInGroup(i % 9'000, i / 9'000);
    Add(book_, last_, HostInGroup((i * 7 + 1) % 9'000, 3));
    book_.Good(last_);
  }
  bool HasWon() { return book_.Find(challenger_)->is_tried && !book_.Find(defender_)->is_tried; }

  AddressBook book_{false, clock_, entropy_};
  NodeAddress last_, defender_, challenger_;
};

TEST_F(ContestTest, WhoAnsweredLatelyKeepsItsSlot) {
  MakeContest(kHour);
  book_.ResolveContests();
  EXPECT_FALSE(HasWon());
  EXPECT_EQ(book_.contest_count(), 0u);
  ExpectSound(book_);
}

TEST_F(ContestTest, WhoAnswersTheTestKeepsItsSlot) {
  MakeContest(5 * kHour);
  book_.Attempt(defender_, true);
  book_.ResolveContests();
  EXPECT_EQ(book_.contest_count(), 1u) << "it has a minute to answer";
  book_.Good(defender_);
  Pass(120);
  book_.ResolveContests();
  EXPECT_FALSE(HasWon());
  EXPECT_EQ(book_.contest_count(), 0u);
}

TEST_F(ContestTest, WhoDoesNotAnswerTheTestLosesItsSlot) {
  MakeContest(5 * kHour);
  book_.Attempt(defender_, true);
  Pass(60);
  book_.ResolveContests();
  EXPECT_EQ(book_.contest_count(), 1u);
  Pass(1);
  book_.ResolveContests();
  EXPECT_TRUE(HasWon());
  EXPECT_EQ(book_.contest_count(), 0u);
  EXPECT_TRUE(book_.Find(defender_).has_value()) << "it is in new again";
  ExpectSound(book_);
}

TEST_F(ContestTest, WhoIsNeverTestedLosesItsSlotInTheEnd) {
  MakeContest(5 * kHour);
  Pass(40 * 60);
  book_.ResolveContests();
  EXPECT_EQ(book_.contest_count(), 1u);
  Pass(1);
  book_.ResolveContests();
  EXPECT_TRUE(HasWon());
}

TEST_F(ContestTest, ContestsAreFew) {
  for (uint32_t i = 0; i < 9'000; ++i) Meet(i);
  EXPECT_EQ(book_.contest_count(), AddressBook::kContestsMax);
  ExpectSound(book_);
}

// Whatever is done to it, in whatever order, and through its file.
TEST(AddressBookRandomTest, StaysSoundUnderAnyUse) {
  struct Use : testing::BookTest {
    explicit Use(uint64_t seed) : BookTest(seed) {}
    void TestBody() override {}
    void Run() {
      AddressBook book(false, clock_, entropy_);
      const auto groups = static_cast<uint32_t>(entropy_.Edgy(1, 400));
      const auto hosts = static_cast<uint32_t>(entropy_.Edgy(1, 400));
      for (int step = 0; step < 4'000; ++step) {
        const NodeAddress address = HostInGroup(static_cast<uint32_t>(entropy_.Below(groups)),
                                                static_cast<uint32_t>(entropy_.Below(hosts)));
        switch (entropy_.Below(12)) {
          default: Add(book, address, HostInGroup(static_cast<uint32_t>(entropy_.Below(500)), 1), entropy_.Between(-900, 40 * kDay)); break;
          case 0: book.Good(address); break;
          case 1: book.Attempt(address, entropy_.OneIn(2)); break;
          case 2: book.Connected(address); break;
          case 3: book.ResolveContests(); break;
          case 4: Pass(entropy_.Between(0, 6 * kHour)); break;
          case 5: {
            const auto selected = book.Select(static_cast<AddressBook::From>(entropy_.Below(3)));
            if (selected) {
              ASSERT_TRUE(book.Find(selected->address).has_value());
            }
            break;
          }
          case 6: ASSERT_LE(book.Sample(20, 23).size(), book.size() * 23 / 100); break;
          case 7: {
            if (!entropy_.OneIn(20)) break;
            const BookImage image = book.Export();
            AddressBook copy(false, clock_, entropy_);
            copy.Import(image);
            ASSERT_EQ(copy.size(), book.size());
            ASSERT_EQ(copy.tried_count(), book.tried_count());
            ASSERT_EQ(copy.Export().entries, image.entries);
            book.Import(image);
            break;
          }
        }
        if (step % 100 == 0) {
          ASSERT_NO_FATAL_FAILURE(ExpectSound(book));
        }
      }
    }
  };
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    Use use(seed);
    ASSERT_NO_FATAL_FAILURE(use.Run()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace headrace
