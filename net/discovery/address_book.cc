#include "net/discovery/address_book.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/base/check.h"

namespace headrace {
namespace {

constexpr int64_t kDaySeconds = 24 * 3600;
constexpr int64_t kHorizonSeconds = 30 * kDaySeconds;
constexpr int64_t kFutureMaxSeconds = 10 * 60;
constexpr int kAttemptsWithoutSuccessMax = 3;
constexpr int64_t kFailingSeconds = 7 * kDaySeconds;
constexpr int kAttemptsWhileFailingMax = 10;
constexpr int64_t kJustAttemptedSeconds = 60;

// What a keyed hash is of: a letter for the question, and the parts of the answer.
class HashInput {
 public:
  explicit HashInput(char question) { bytes_[size_++] = static_cast<uint8_t>(question); }
  HashInput& Number(uint64_t value) {
    StoreLittle(&bytes_[size_], value);
    size_ += sizeof(value);
    return *this;
  }
  HashInput& Node(const NodeAddress& address) {
    bytes_[size_++] = address.network;
    std::copy(address.bytes.begin(), address.bytes.end(), &bytes_[size_]);
    size_ += address.bytes.size();
    StoreLittle(&bytes_[size_], address.port);
    size_ += sizeof(address.port);
    return *this;
  }
  uint64_t Hash(const HashKey& key) const { return SipHash24(key[0], key[1], ByteSpan(bytes_).first(size_)); }

 private:
  std::array<uint8_t, 64> bytes_;
  size_t size_ = 0;
};

uint32_t Seconds32(int64_t time_s) { return static_cast<uint32_t>(std::clamp<int64_t>(time_s, 0, UINT32_MAX)); }

}  // namespace

AddressBook::AddressBook(bool accepts_unroutable, Clock& clock, Entropy& entropy)
    : accepts_unroutable_(accepts_unroutable), clock_(clock), key_(DrawHashKey(entropy)), draws_(entropy) {}

bool AddressBook::Accepts(const NodeAddress& address) const {
  return accepts_unroutable_ ? address.IsValid() : address.IsRoutable();
}

bool AddressBook::IsWorthless(const KnownAddress& known, int64_t now_s) {
  if (known.last_attempt_s != 0 && now_s - known.last_attempt_s <= kJustAttemptedSeconds) return false;
  if (known.time_s > now_s + kFutureMaxSeconds || now_s - known.time_s > kHorizonSeconds) return true;
  if (known.last_success_s == 0) return known.attempts >= kAttemptsWithoutSuccessMax;
  return now_s - known.last_success_s > kFailingSeconds && known.attempts >= kAttemptsWhileFailingMax;
}

uint32_t AddressBook::NumberOf(const NodeAddress& address) const {
  const auto found = number_of_.find(address);
  return found == number_of_.end() ? BucketTable::kNobody : found->second;
}

KnownAddress* AddressBook::FindMutable(const NodeAddress& address) {
  const uint32_t number = NumberOf(address);
  return number == BucketTable::kNobody ? nullptr : &known_[number];
}

std::optional<KnownAddress> AddressBook::Find(const NodeAddress& address) const {
  const uint32_t number = NumberOf(address);
  return number == BucketTable::kNobody ? std::nullopt : std::optional(known_[number]);
}

uint32_t AddressBook::NewBucketOf(const NodeAddress& address, NetworkGroup source) const {
  const uint64_t of_source = HashInput('n').Number(address.Group()).Number(source).Hash(key_) % kNewBucketsPerSource;
  return static_cast<uint32_t>(HashInput('N').Number(source).Number(of_source).Hash(key_) % kNewBuckets);
}

uint32_t AddressBook::TriedBucketOf(const NodeAddress& address) const {
  const uint64_t of_group = HashInput('t').Node(address).Hash(key_) % kTriedBucketsPerGroup;
  return static_cast<uint32_t>(HashInput('T').Number(address.Group()).Number(of_group).Hash(key_) % kTriedBuckets);
}

uint32_t AddressBook::SlotOf(bool is_tried, uint32_t bucket, const NodeAddress& address) const {
  const HashInput input = HashInput(is_tried ? 'S' : 's').Number(bucket).Node(address);
  return static_cast<uint32_t>(input.Hash(key_) % BucketTable::kSlots);
}

uint32_t AddressBook::Create(const NodeAddress& address, NetworkGroup source) {
  uint32_t number = static_cast<uint32_t>(known_.size());
  if (unused_.empty()) {
    known_.emplace_back();
  } else {
    number = unused_.back();
    unused_.pop_back();
  }
  KnownAddress& known = known_[number] = KnownAddress{};
  known.address = address;
  known.source = source;
  known.place = static_cast<uint32_t>(order_.size());
  order_.push_back(number);
  number_of_.emplace(address, number);
  return number;
}

void AddressBook::Forget(uint32_t number) {
  KnownAddress& known = known_[number];
  HR_CHECK(!known.is_tried && known.new_buckets == 0);
  const uint32_t last = order_.back();
  order_[known.place] = last;
  known_[last].place = known.place;
  order_.pop_back();
  number_of_.erase(known.address);
  unused_.push_back(number);
}

void AddressBook::ClearNew(uint32_t bucket, uint32_t slot) {
  const uint32_t number = new_.At(bucket, slot);
  if (number == BucketTable::kNobody) return;
  new_.Clear(bucket, slot);
  KnownAddress& known = known_[number];
  if (--known.new_buckets != 0) return;
  --new_count_;
  Forget(number);
}

// Takes the slot in one new bucket; false when whoever has it keeps it.
bool AddressBook::PutIntoNew(uint32_t number, uint32_t bucket, int64_t now_s) {
  KnownAddress& known = known_[number];
  const uint32_t slot = SlotOf(false, bucket, known.address);
  const uint32_t other = new_.At(bucket, slot);
  if (other == number) return false;
  if (other != BucketTable::kNobody) {
    const bool gives_way =
        IsWorthless(known_[other], now_s) || (known_[other].new_buckets > 1 && known.new_buckets == 0);
    if (!gives_way) return false;
    ClearNew(bucket, slot);
  }
  new_.Put(bucket, slot, number);
  if (known.new_buckets++ == 0) ++new_count_;
  return true;
}

bool AddressBook::Add(const HeardAddress& heard, const NodeAddress& source, int64_t penalty_s) {
  if (!Accepts(heard.address)) return false;
  const int64_t now_s = clock_.UnixSeconds();
  // Whoever tells of himself knows best when he was there.
  const int64_t penalty = heard.address == source ? 0 : penalty_s;
  const int64_t time_s = std::max<int64_t>(0, heard.time_s - penalty);
  uint32_t number = NumberOf(heard.address);
  const bool is_known = number != BucketTable::kNobody;
  if (is_known) {
    KnownAddress& known = known_[number];
    // How often news of it are news: hourly for a node that was there today, else daily.
    const int64_t interval_s = now_s - heard.time_s < kDaySeconds ? 3600 : kDaySeconds;
    if (known.time_s < heard.time_s - interval_s - penalty) {
      known.time_s = time_s;
      ++change_count_;
    }
    known.services |= heard.services;
    if (heard.time_s <= known.time_s || known.is_tried || known.new_buckets == kNewBucketsPerAddress) return false;
    if (draws_.Below(uint64_t{1} << known.new_buckets) != 0) return false;
  } else {
    number = Create(heard.address, source.Group());
    known_[number].time_s = time_s;
    known_[number].services = heard.services;
  }
  const bool is_put = PutIntoNew(number, NewBucketOf(heard.address, source.Group()), now_s);
  if (known_[number].new_buckets == 0) Forget(number);
  if (is_put) ++change_count_;
  return is_put && !is_known;
}

void AddressBook::Attempt(const NodeAddress& address, bool counts_as_failure) {
  KnownAddress* known = FindMutable(address);
  if (known == nullptr) return;
  const int64_t now_s = clock_.UnixSeconds();
  known->last_attempt_s = now_s;
  // When nobody at all answers, it is this node that is cut off: at most one failure is counted until somebody does.
  if (!counts_as_failure || known->last_counted_attempt_s >= last_good_s_) return;
  known->last_counted_attempt_s = now_s;
  if (known->attempts != UINT16_MAX) ++known->attempts;
  ++change_count_;
}

void AddressBook::LeaveNew(uint32_t number) {
  KnownAddress& known = known_[number];
  // Which buckets those are follows from sources that are not remembered: they are looked for.
  for (uint32_t bucket = 0; bucket < kNewBuckets && known.new_buckets != 0; ++bucket) {
    const uint32_t slot = SlotOf(false, bucket, known.address);
    if (new_.At(bucket, slot) != number) continue;
    new_.Clear(bucket, slot);
    --known.new_buckets;
  }
  HR_CHECK(known.new_buckets == 0);
  --new_count_;
}

void AddressBook::MoveToTried(uint32_t number) {
  LeaveNew(number);
  KnownAddress& known = known_[number];
  const uint32_t bucket = TriedBucketOf(known.address);
  const uint32_t slot = SlotOf(true, bucket, known.address);
  if (const uint32_t other = tried_.At(bucket, slot); other != BucketTable::kNobody) {
    KnownAddress& loser = known_[other];
    tried_.Clear(bucket, slot);
    loser.is_tried = false;
    --tried_count_;
    // It has answered once: whoever stands where it goes gives way.
    const uint32_t new_bucket = NewBucketOf(loser.address, loser.source);
    const uint32_t new_slot = SlotOf(false, new_bucket, loser.address);
    ClearNew(new_bucket, new_slot);
    new_.Put(new_bucket, new_slot, other);
    loser.new_buckets = 1;
    ++new_count_;
  }
  tried_.Put(bucket, slot, number);
  known.is_tried = true;
  ++tried_count_;
}

bool AddressBook::BecomeTried(const NodeAddress& address, bool is_tested) {
  const uint32_t number = NumberOf(address);
  if (number == BucketTable::kNobody || known_[number].is_tried) return false;
  const uint32_t bucket = TriedBucketOf(address);
  if (is_tested && tried_.At(bucket, SlotOf(true, bucket, address)) != BucketTable::kNobody) {
    const bool is_in_contest = std::find(contests_.begin(), contests_.end(), address) != contests_.end();
    if (!is_in_contest && contests_.size() < kContestsMax) contests_.push_back(address);
    return false;
  }
  MoveToTried(number);
  ++change_count_;
  return true;
}

bool AddressBook::Good(const NodeAddress& address) {
  const int64_t now_s = clock_.UnixSeconds();
  last_good_s_ = now_s;
  KnownAddress* known = FindMutable(address);
  if (known == nullptr) return false;
  known->last_success_s = now_s;
  known->last_attempt_s = now_s;
  known->attempts = 0;
  ++change_count_;
  // The time is left alone: it is handed out, and would tell whom this node is connected to.
  return BecomeTried(address, true);
}

void AddressBook::Connected(const NodeAddress& address) {
  constexpr int64_t kUpdateIntervalSeconds = 20 * 60;
  KnownAddress* known = FindMutable(address);
  const int64_t now_s = clock_.UnixSeconds();
  if (known == nullptr || now_s - known->time_s <= kUpdateIntervalSeconds) return;
  known->time_s = now_s;
  ++change_count_;
}

void AddressBook::SetServices(const NodeAddress& address, uint64_t services) {
  KnownAddress* known = FindMutable(address);
  if (known == nullptr || known->services == services) return;
  known->services = services;
  ++change_count_;
}

double AddressBook::ChanceOf(const KnownAddress& known, int64_t now_s) const {
  constexpr int64_t kRecentlySeconds = 10 * 60;
  constexpr double kRecentlyFactor = 0.01;
  constexpr double kFailureFactor = 0.66;
  constexpr int kFailuresCounted = 8;
  const bool is_recent = known.last_attempt_s != 0 && now_s - known.last_attempt_s < kRecentlySeconds;
  return (is_recent ? kRecentlyFactor : 1.0) *
         std::pow(kFailureFactor, std::min<int>(known.attempts, kFailuresCounted));
}

std::optional<KnownAddress> AddressBook::Select(From from) {
  const size_t news = from == From::kTried ? 0 : new_count_;
  const size_t trieds = from == From::kNew ? 0 : tried_count_;
  if (news + trieds == 0) return std::nullopt;
  const int64_t now_s = clock_.UnixSeconds();
  // Patience grows, so that somebody is chosen when nobody is likely: at the worst chance after about fifty draws.
  constexpr double kPatienceFactor = 1.2;
  for (double patience = 1.0;; patience *= kPatienceFactor) {
    const bool is_tried = news == 0 || (trieds != 0 && draws_.Below(2) == 0);
    const KnownAddress& known = known_[(is_tried ? tried_ : new_).Draw(draws_)];
    if (draws_.Fraction() < patience * ChanceOf(known, now_s)) return known;
  }
}

std::optional<KnownAddress> AddressBook::SelectDefender() {
  if (contests_.empty()) return std::nullopt;
  const NodeAddress& challenger = contests_[draws_.Below(contests_.size())];
  const uint32_t bucket = TriedBucketOf(challenger);
  const uint32_t defender = tried_.At(bucket, SlotOf(true, bucket, challenger));
  return defender == BucketTable::kNobody ? std::nullopt : std::optional(known_[defender]);
}

void AddressBook::ResolveContests() {
  const int64_t now_s = clock_.UnixSeconds();
  std::vector<NodeAddress> undecided;
  for (const NodeAddress& challenger : std::exchange(contests_, {})) {
    const uint32_t number = NumberOf(challenger);
    if (number == BucketTable::kNobody || known_[number].is_tried) continue;
    const uint32_t bucket = TriedBucketOf(challenger);
    const uint32_t other = tried_.At(bucket, SlotOf(true, bucket, challenger));
    if (other != BucketTable::kNobody) {
      const KnownAddress& defender = known_[other];
      // It answered: the slot stays its own.
      if (now_s - defender.last_success_s < kDefenderFreshSeconds) continue;
      const bool was_dialled = now_s - defender.last_attempt_s < kDefenderFreshSeconds;
      const bool has_failed = was_dialled && now_s - defender.last_attempt_s > kDefenderPatienceSeconds;
      // A challenger that nobody finds the time to test for wins in the end.
      const bool is_overdue = !was_dialled && now_s - known_[number].last_success_s > kChallengerWaitsSeconds;
      if (!has_failed && !is_overdue) {
        undecided.push_back(challenger);
        continue;
      }
    }
    BecomeTried(challenger, false);
  }
  contests_ = std::move(undecided);
}

std::vector<HeardAddress> AddressBook::Sample(size_t count_max, size_t percent_max) {
  const size_t wanted = std::min(count_max, order_.size() * percent_max / 100);
  const int64_t now_s = clock_.UnixSeconds();
  std::vector<HeardAddress> sample;
  // A shuffle that stops when enough were taken.
  for (size_t i = 0; i < order_.size() && sample.size() < wanted; ++i) {
    const size_t other = i + draws_.Below(order_.size() - i);
    std::swap(order_[i], order_[other]);
    known_[order_[i]].place = static_cast<uint32_t>(i);
    known_[order_[other]].place = static_cast<uint32_t>(other);
    const KnownAddress& known = known_[order_[i]];
    if (!IsWorthless(known, now_s)) sample.push_back({known.address, known.services, known.time_s});
  }
  return sample;
}

AddressBook::NetworkCounts AddressBook::CountByNetwork() const {
  NetworkCounts counts{};
  for (const uint32_t number : order_) {
    NetworkCount& count = counts[known_[number].address.network];
    ++(known_[number].is_tried ? count.in_tried : count.in_new);
  }
  return counts;
}

BookImage AddressBook::Export() const {
  BookImage image;
  image.key = key_;
  image.entries.reserve(order_.size());
  std::vector<uint32_t> entry_of(known_.size());
  for (const uint32_t number : order_) {
    const KnownAddress& known = known_[number];
    entry_of[number] = static_cast<uint32_t>(image.entries.size());
    image.entries.push_back({known.address, known.services, known.source, Seconds32(known.time_s),
                             Seconds32(known.last_success_s), known.attempts, known.is_tried, {}});
  }
  for (uint32_t bucket = 0; bucket < kNewBuckets; ++bucket) {
    for (uint32_t slot = 0; slot < BucketTable::kSlots; ++slot) {
      const uint32_t number = new_.At(bucket, slot);
      if (number != BucketTable::kNobody) image.entries[entry_of[number]].new_buckets.push_back(static_cast<uint16_t>(bucket));
    }
  }
  return image;
}

void AddressBook::Import(const BookImage& image) {
  key_ = image.key;
  known_.clear();
  unused_.clear();
  number_of_.clear();
  order_.clear();
  contests_.clear();
  new_ = BucketTable(kNewBuckets);
  tried_ = BucketTable(kTriedBuckets);
  new_count_ = tried_count_ = 0;
  known_.reserve(image.entries.size());
  number_of_.reserve(image.entries.size());
  for (const BookImageEntry& entry : image.entries) {
    if (!Accepts(entry.address) || NumberOf(entry.address) != BucketTable::kNobody) continue;
    const uint32_t number = Create(entry.address, entry.source);
    KnownAddress& known = known_[number];
    known.services = entry.services;
    known.time_s = entry.time_s;
    known.last_success_s = entry.last_success_s;
    known.attempts = entry.attempts;
    const uint32_t bucket = TriedBucketOf(entry.address);
    const uint32_t slot = SlotOf(true, bucket, entry.address);
    if (entry.is_tried && tried_.At(bucket, slot) == BucketTable::kNobody) {
      tried_.Put(bucket, slot, number);
      known.is_tried = true;
      ++tried_count_;
      continue;
    }
    auto new_buckets = entry.new_buckets;
    if (entry.is_tried) new_buckets = {static_cast<uint16_t>(NewBucketOf(entry.address, entry.source))};
    for (const uint16_t new_bucket : new_buckets) {
      if (new_bucket >= kNewBuckets || known.new_buckets == kNewBucketsPerAddress) continue;
      const uint32_t new_slot = SlotOf(false, new_bucket, entry.address);
      if (new_.At(new_bucket, new_slot) != BucketTable::kNobody) continue;
      new_.Put(new_bucket, new_slot, number);
      if (known.new_buckets++ == 0) ++new_count_;
    }
    if (known.new_buckets == 0) Forget(number);
  }
  ++change_count_;
}

}  // namespace headrace
