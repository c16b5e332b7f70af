// An address book in a world of its own: a clock that the test moves, chance from a seed, and addresses by number. Public
// addresses stand here as data: nothing is dialled.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "engine/ports/peer_gateway.h"
#include "net/discovery/address_book.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::testing {

inline constexpr uint64_t kFullServices = kNodeNetwork | kNodeWitness;

// A host in one of 15,000 groups (20.0 to 79.249), none of which is reserved for anything.
inline NodeAddress HostInGroup(uint32_t group, uint32_t host, uint16_t port = 8333) {
  return NodeAddress::Of(Address::Ipv4(static_cast<uint8_t>(20 + group / 250 % 60), static_cast<uint8_t>(group % 250),
                                       static_cast<uint8_t>(host / 250), static_cast<uint8_t>(1 + host % 250), port));
}

class BookTest : public ::testing::Test {
 protected:
  explicit BookTest(uint64_t seed = 1) : entropy_(seed) {}

  HeardAddress Heard(const NodeAddress& address, int64_t age_s = 0) {
    return {address, kFullServices, clock_.UnixSeconds() - age_s};
  }
  bool Add(AddressBook& book, const NodeAddress& address, const NodeAddress& source, int64_t age_s = 0) {
    return book.Add(Heard(address, age_s), source, 0);
  }
  void Pass(int64_t seconds) { clock_.AdvanceTo(clock_.now_ns() + seconds * sim::kNsPerSecond); }

  // What must be true of every book, whatever happened to it.
  static void ExpectSound(const AddressBook& book) {
    const BookImage image = book.Export();
    ASSERT_EQ(image.entries.size(), book.size());
    ASSERT_EQ(book.new_count() + book.tried_count(), book.size());
    ASSERT_LE(book.contest_count(), AddressBook::kContestsMax);
    size_t tried = 0;
    std::set<NodeAddress> addresses;
    for (const BookImageEntry& entry : image.entries) {
      ASSERT_TRUE(addresses.insert(entry.address).second) << "twice: " << entry.address.ToString();
      ASSERT_EQ(entry.is_tried, entry.new_buckets.empty()) << entry.address.ToString();
      ASSERT_LE(entry.new_buckets.size(), AddressBook::kNewBucketsPerAddress);
      ASSERT_EQ(std::set<uint16_t>(entry.new_buckets.begin(), entry.new_buckets.end()).size(), entry.new_buckets.size());
      tried += entry.is_tried ? 1 : 0;
      ASSERT_TRUE(book.Find(entry.address).has_value());
      ASSERT_EQ(book.Find(entry.address)->is_tried, entry.is_tried);
    }
    ASSERT_EQ(tried, book.tried_count());
  }

  sim::SimClock clock_;
  sim::SimEntropy entropy_;
};

}  // namespace headrace::testing
