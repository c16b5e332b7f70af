// The address book: nodes that may be there, and which of them are worth dialling.
//
// Two tables, after Heilman, Kendler, Zohar and Goldberg, "Eclipse Attacks on Bitcoin's Peer-to-Peer Network" (2015).
// *New* holds what was heard of, *tried* what this node has itself spoken with. Where an address may stand follows from a
// keyed hash, so that whoever fills the book cannot choose whom he displaces:
//  - an address heard from one group of sources (see NodeAddress::Group) has one of 64 new buckets of 1024; all addresses of
//    one group, heard from one group, have one. At most 8 new buckets hold the same address, each one half as likely as the
//    one before.
//  - an address that was spoken with has one of 8 tried buckets of 256, by its own group.
//  - inside its bucket it has one slot of 64. A new address takes that of another only when the other is worth nothing any
//    more (see IsWorthless), or stands in other buckets too. A tried one displaces another only after that one was dialled
//    and did not answer (test before evict): until then the two are a contest.
//
// Deterministic, given Entropy and Clock. One thread. At most 81,920 addresses of 96 bytes, their index and the tables: 20 MB
// when all of them are there. Adding and looking up costs a few hashes (about a microsecond), Good up to a thousand.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/ports/clock.h"
#include "net/discovery/book_image.h"
#include "net/discovery/bucket_table.h"
#include "net/discovery/keyed_draws.h"
#include "net/discovery/node_address.h"

namespace headrace {

// An address as somebody told it.
struct HeardAddress {
  NodeAddress address;
  uint64_t services = 0;
  int64_t time_s = 0;  // when it was last heard of, by whoever told
  bool operator==(const HeardAddress&) const = default;
};

// What the book knows of one.
struct KnownAddress {
  NodeAddress address;
  uint16_t attempts = 0;  // failed ones since it last answered
  uint8_t new_buckets = 0;
  bool is_tried = false;
  uint64_t services = 0;
  NetworkGroup source = 0;  // of who told first
  // Unix seconds; 0: never.
  int64_t time_s = 0;
  int64_t last_attempt_s = 0;
  int64_t last_counted_attempt_s = 0;
  int64_t last_success_s = 0;
  uint32_t place = 0;  // in the list of all
};
static_assert(sizeof(KnownAddress) == 96);

class AddressBook {
 public:
  static constexpr uint32_t kNewBuckets = 1024;
  static constexpr uint32_t kTriedBuckets = 256;
  static constexpr uint32_t kNewBucketsPerSource = 64;
  static constexpr uint32_t kTriedBucketsPerGroup = 8;
  static constexpr uint8_t kNewBucketsPerAddress = 8;
  static constexpr size_t kContestsMax = 10;
  static constexpr size_t kAddressesMax = size_t{kNewBuckets + kTriedBuckets} * BucketTable::kSlots;

  enum class From : uint8_t { kEither, kNew, kTried };

  // `accepts_unroutable`: for networks that live on one machine or in one building (regtest).
  AddressBook(bool accepts_unroutable, Clock& clock, Entropy& entropy);

  // The clock that its times are by.
  int64_t now_s() const { return clock_.UnixSeconds(); }
  // Whether an address could stand in this book.
  bool Accepts(const NodeAddress& address) const;

  // Takes what `source` told; true when the address is new to the book. The time is made older by `penalty_s`, unless the node
  // tells of itself: hearsay must not look fresher at every hop.
  bool Add(const HeardAddress& heard, const NodeAddress& source, int64_t penalty_s);

  // What became of an address; unknown ones are ignored.
  void Attempt(const NodeAddress& address, bool counts_as_failure);
  // It completed a handshake. True when it moved to tried; false when it was there, or must win a contest first.
  bool Good(const NodeAddress& address);
  // It was still connected now.
  void Connected(const NodeAddress& address);
  void SetServices(const NodeAddress& address, uint64_t services);

  // An address to dial, at random: of `kEither`, new and tried are equally likely; within a table, see BucketTable::Draw.
  // One that was dialled within ten minutes is a hundred times less likely, each failure (up to eight) makes it a third less
  // likely. Nothing when there is none.
  std::optional<KnownAddress> Select(From from);

  // Contests: an address that stands in tried, and whose slot another that has answered would take. Whoever dials it
  // calls Good when it answers, and ResolveContests now and then.
  std::optional<KnownAddress> SelectDefender();
  void ResolveContests();

  // Addresses to hand out, at random, without the worthless ones: at most `count_max`, and at most that part of the book.
  std::vector<HeardAddress> Sample(size_t count_max, size_t percent_max);

  std::optional<KnownAddress> Find(const NodeAddress& address) const;
  size_t size() const { return order_.size(); }
  size_t new_count() const { return new_count_; }
  size_t tried_count() const { return tried_count_; }
  size_t contest_count() const { return contests_.size(); }
  // By network (AddressNetwork), how many of them stand in new and in tried.
  struct NetworkCount {
    size_t in_new = 0;
    size_t in_tried = 0;
  };
  using NetworkCounts = std::array<NetworkCount, 7>;
  NetworkCounts CountByNetwork() const;
  // Grows with every change that a restart should not lose.
  uint64_t change_count() const { return change_count_; }

  // The whole book for its file, and back. Import replaces what is here, key included; what does not fit the rules is left
  // out, so that no file makes a book that could not have come to be.
  BookImage Export() const;
  void Import(const BookImage& image);

  // Whether its slot may be taken by anybody: told 30 days ago or in the future, tried three times without ever answering, or
  // ten times in the week since it last did. Never within a minute of an attempt.
  static bool IsWorthless(const KnownAddress& known, int64_t now_s);

 private:
  // Bounds of a contest: how long ago the defender may have answered to win at once, how long it is given to answer
  // a dial, how long the challenger waits for that dial.
  static constexpr int64_t kDefenderFreshSeconds = 4 * 3600;
  static constexpr int64_t kDefenderPatienceSeconds = 60;
  static constexpr int64_t kChallengerWaitsSeconds = 40 * 60;

  KnownAddress* FindMutable(const NodeAddress& address);
  uint32_t NumberOf(const NodeAddress& address) const;
  uint32_t NewBucketOf(const NodeAddress& address, NetworkGroup source) const;
  uint32_t TriedBucketOf(const NodeAddress& address) const;
  uint32_t SlotOf(bool is_tried, uint32_t bucket, const NodeAddress& address) const;
  uint32_t Create(const NodeAddress& address, NetworkGroup source);
  void Forget(uint32_t number);
  bool PutIntoNew(uint32_t number, uint32_t bucket, int64_t now_s);
  void ClearNew(uint32_t bucket, uint32_t slot);
  void LeaveNew(uint32_t number);
  void MoveToTried(uint32_t number);
  bool BecomeTried(const NodeAddress& address, bool is_tested);
  double ChanceOf(const KnownAddress& known, int64_t now_s) const;

  const bool accepts_unroutable_;
  Clock& clock_;
  HashKey key_;
  KeyedDraws draws_;

  std::vector<KnownAddress> known_;
  std::vector<uint32_t> unused_;  // numbers in `known_`
  absl::flat_hash_map<NodeAddress, uint32_t> number_of_;
  std::vector<uint32_t> order_;  // all numbers, shuffled by sampling
  BucketTable new_{kNewBuckets};
  BucketTable tried_{kTriedBuckets};
  size_t new_count_ = 0;
  size_t tried_count_ = 0;
  std::vector<NodeAddress> contests_;  // the challengers
  int64_t last_good_s_ = 1;            // attempts before it count as failures at most once
  uint64_t change_count_ = 0;
};

}  // namespace headrace
