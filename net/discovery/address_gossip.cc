#include "net/discovery/address_gossip.h"

#include <algorithm>
#include <array>
#include <utility>

#include "net/wire/address_messages.h"

namespace headrace {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kRouteSeconds = 24 * 3600;
constexpr int64_t kRelayDelayNs = 30 * kSecondNs;
constexpr int64_t kOwnIntervalNs = 24 * 3600 * kSecondNs;
// Older news are not handed on.
constexpr int64_t kFreshSeconds = 10 * 60;
// Hearsay counts as this much older.
constexpr int64_t kHearsaySeconds = 2 * 3600;
// A time that cannot be counts as this long ago.
constexpr int64_t kNonsenseSeconds = 5 * 24 * 3600;
constexpr int64_t kEarliestSeconds = 100'000'000;

bool IsFullNode(uint64_t services) { return (services & (kNodeNetwork | kNodeNetworkLimited)) != 0; }

}  // namespace

AddressGossip::AddressGossip(AddressBook& book, Clock& clock, Entropy& entropy)
    : book_(book), clock_(clock), key_(DrawHashKey(entropy)), draws_(entropy), samples_(book, entropy) {}

bool AddressGossip::IsOwn(const NodeAddress& address) const {
  return std::any_of(own_.begin(), own_.end(), [&](const HeardAddress& own) { return own.address == address; }) ||
         std::find(met_self_at_.begin(), met_self_at_.end(), address) != met_self_at_.end();
}

void AddressGossip::MarkAsSelf(const NodeAddress& address) {
  constexpr size_t kMetMax = 16;
  if (IsOwn(address)) return;
  met_self_at_.push_back(address);
  if (met_self_at_.size() > kMetMax) met_self_at_.pop_front();
}

void AddressGossip::Join(PeerId peer, const Joining& joining) {
  Member& member = members_.try_emplace(peer).first->second;
  member.who = joining;
  member.listens = !joining.is_inbound;
  member.owes_answer = joining.is_asked;
  member.allowance_ns = clock_.MonotonicNs();
  if (joining.is_asked) member.allowance += kMaxAddressesPerMessage;
}

uint64_t AddressGossip::HashOf(const NodeAddress& address) const {
  std::array<uint8_t, 35> bytes;
  bytes[0] = address.network;
  std::copy(address.bytes.begin(), address.bytes.end(), &bytes[1]);
  StoreLittle(&bytes[33], address.port);
  return SipHash24(key_[0], key_[1], bytes);
}

void AddressGossip::Refill(Member& member, int64_t now_ns) {
  const double elapsed_s = static_cast<double>(now_ns - member.allowance_ns) / kSecondNs;
  member.allowance_ns = now_ns;
  // What an answer may hold comes on top, and is not taken back.
  if (member.allowance >= kAllowanceMax) return;
  member.allowance = std::min(member.allowance + elapsed_s * kAllowancePerSecond, kAllowanceMax);
}

AddressGossip::Tally AddressGossip::OnAddresses(PeerId peer, std::vector<HeardAddress> heard, size_t message_count) {
  const auto found = members_.find(peer);
  if (found == members_.end()) return {};
  Member& member = found->second;
  member.listens = true;
  Refill(member, clock_.MonotonicNs());
  // The order must not decide which ones are beyond the rate.
  for (size_t i = heard.size(); i > 1; --i) std::swap(heard[i - 1], heard[draws_.Below(i)]);
  const int64_t now_s = clock_.UnixSeconds();
  const bool is_news = !member.owes_answer && message_count <= kRelayedPerMessageMax;
  Tally tally;
  for (HeardAddress& entry : heard) {
    if (member.allowance < 1 && !member.who.is_trusted) {
      ++tally.beyond_rate;
      continue;
    }
    if (!member.who.is_trusted) member.allowance -= 1;
    member.known.Insert(HashOf(entry.address));
    // A book is for those who can serve blocks; and what nobody could dial is no news.
    if (!IsFullNode(entry.services) || !book_.Accepts(entry.address) || IsOwn(entry.address)) continue;
    ++tally.taken;
    if (entry.time_s <= kEarliestSeconds || entry.time_s > now_s + kFreshSeconds) entry.time_s = now_s - kNonsenseSeconds;
    if (is_news && entry.time_s > now_s - kFreshSeconds) Relay(peer, entry);
    book_.Add(entry, member.who.address, kHearsaySeconds);
  }
  if (message_count < kMaxAddressesPerMessage) member.owes_answer = false;
  return tally;
}

void AddressGossip::Relay(PeerId from, const HeardAddress& heard) {
  // The day begins at another moment for every address, so that not all of them change their way at once.
  const uint64_t address_hash = HashOf(heard.address);
  const uint64_t day = (static_cast<uint64_t>(clock_.UnixSeconds()) + address_hash % kRouteSeconds) / kRouteSeconds;
  const size_t targets = heard.address.ToAddress() ? 2 : 1;
  std::array<std::pair<uint64_t, Member*>, 2> best{};
  for (auto& [peer, member] : members_) {
    if (peer == from || !member.listens) continue;
    uint8_t input[24];
    StoreLittle(input, address_hash);
    StoreLittle(input + 8, day);
    StoreLittle(input + 16, peer);
    std::pair<uint64_t, Member*> candidate{SipHash24(key_[0], key_[1], input), &member};
    for (size_t i = 0; i < targets; ++i) {
      if (best[i].second == nullptr || candidate.first > best[i].first) std::swap(best[i], candidate);
      if (candidate.second == nullptr) break;
    }
  }
  for (const auto& [rank, member] : best) {
    if (member != nullptr) Queue(*member, heard);
  }
}

void AddressGossip::Queue(Member& member, const HeardAddress& heard) {
  if (member.known.Contains(HashOf(heard.address))) return;
  if (member.waiting.size() < kMaxAddressesPerMessage) {
    member.waiting.push_back(heard);
  } else {
    member.waiting[draws_.Below(member.waiting.size())] = heard;
  }
}

const std::vector<HeardAddress>* AddressGossip::OnGetAddr(PeerId peer) {
  const auto found = members_.find(peer);
  if (found == members_.end()) return nullptr;
  Member& member = found->second;
  member.listens = true;
  if (!member.who.is_inbound || std::exchange(member.was_answered, true)) return nullptr;
  if (member.who.is_trusted) fresh_ = samples_.Fresh();
  const std::vector<HeardAddress>& sample =
      member.who.is_trusted ? fresh_ : samples_.For(member.who.address.network, member.who.listener, clock_.MonotonicNs());
  for (const HeardAddress& entry : sample) member.known.Insert(HashOf(entry.address));
  return &sample;
}

std::vector<HeardAddress> AddressGossip::TakeDue(Member& member) {
  const int64_t now_ns = clock_.MonotonicNs();
  std::vector<HeardAddress> due;
  if (now_ns >= member.own_ns) {
    member.own_ns = now_ns + draws_.PoissonNs(kOwnIntervalNs);
    due = own_;
    for (HeardAddress& own : due) own.time_s = clock_.UnixSeconds();
  }
  if (now_ns < member.send_ns) return due;
  member.send_ns = now_ns + draws_.PoissonNs(kRelayDelayNs);
  for (const HeardAddress& entry : std::exchange(member.waiting, {})) {
    // It may have told of it itself meanwhile, and twice the same is no news either.
    const uint64_t hash = HashOf(entry.address);
    if (member.known.Contains(hash) || due.size() >= kMaxAddressesPerMessage) continue;
    member.known.Insert(hash);
    due.push_back(entry);
  }
  return due;
}

}  // namespace headrace
