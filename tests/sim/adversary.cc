#include "tests/sim/adversary.h"

#include <algorithm>

#include "engine/consensus/chain_params.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

constexpr int64_t kRestNs = 20 * kNsPerMs;
constexpr int64_t kPauseNsMax = 6 * kNsPerSecond;

}  // namespace

Adversary::Adversary(World& world, int number, SimEntropy entropy) : world_(world), number_(number), entropy_(entropy) {
  become_ns_ = world.clock().now_ns() + entropy_.Between(0, 5'000) * kNsPerMs;
  wakeup_.due_ns = become_ns_;
}

Adversary::~Adversary() = default;

void Adversary::Become() {
  // The old self is gone from the network, at once and without a word.
  peers_.clear();
  const Address host = Address::Ipv4(10, 1, static_cast<uint8_t>(number_), static_cast<uint8_t>(++generation_), 8333);
  transport_ = std::make_unique<SimTransport>(world_.network(), world_.clock(), wakeup_, host);
  transport_->SetHandler(this);
  // Some nodes were told to connect to this one.
  const Address known = Address::Ipv4(10, 1, static_cast<uint8_t>(number_), 255, 8333);
  transport_->Listen(known).IgnoreError();
  habit_ = static_cast<Habit>(entropy_.Below(static_cast<uint64_t>(Habit::kCount)));
  if (world_.options().has_compact_liar && number_ == 0) habit_ = Habit::kLiesCompactly;
  is_compact_alone_ = habit_ == Habit::kLiesCompactly && !entropy_.OneIn(4);
  ChooseBranch();
  const uint64_t targets = 1 + entropy_.Below(2);
  for (uint64_t i = 0; i < targets; ++i) {
    transport_->Connect(HostAddress(static_cast<int>(entropy_.Below(world_.nodes().size()))));
  }
  const int64_t now_ns = world_.clock().now_ns();
  act_ns_ = now_ns;
  become_ns_ = now_ns + entropy_.Between(2'000, 40'000) * kNsPerMs;
  world_.trace().Add("adversary ", number_, " habit=", static_cast<int>(habit_), " branch_height=", branch_.size());
}

void Adversary::SetBranch(const ModelBlock& tip) {
  branch_.clear();
  for (const ModelBlock* block = &tip; block->parent != nullptr; block = block->parent) branch_.push_back(block);
  std::reverse(branch_.begin(), branch_.end());
}

void Adversary::ChooseBranch() {
  withheld_.clear();
  const ModelBlock* tip = &world_.best_public();
  BlockMaker& maker = world_.maker();
  const bool wants_attention = habit_ == Habit::kMutates || habit_ == Habit::kWithholds || habit_ == Habit::kStalls ||
                               habit_ == Habit::kHasNothing ||
                               (habit_ == Habit::kLiesCompactly && !is_compact_alone_);
  if (habit_ == Habit::kInvents) {
    const ModelBlock* fork =
        tip->Ancestor(tip->height - std::min<uint32_t>(tip->height, static_cast<uint32_t>(entropy_.Below(6))));
    const uint32_t missing = tip->height - fork->height;
    tip = &maker.Extend(*fork, static_cast<uint32_t>(entropy_.Below(missing + 2)));
    tip = &maker.Make(*tip, static_cast<Flaw>(entropy_.Between(1, static_cast<int64_t>(Flaw::kCount) - 1)));
    tip = &maker.Extend(*tip, static_cast<uint32_t>(missing + entropy_.Below(4)));
  } else if (wants_attention) {
    const ModelBlock* fork =
        tip->Ancestor(tip->height - std::min<uint32_t>(tip->height, static_cast<uint32_t>(entropy_.Below(4))));
    const uint32_t missing = tip->height - fork->height;
    tip = &maker.Extend(*fork, missing + static_cast<uint32_t>(entropy_.Between(1, 3)));
  }
  SetBranch(*tip);
  if (habit_ != Habit::kWithholds) return;
  for (size_t back = 1; back <= 3 && back <= branch_.size(); ++back) {
    if (back == 1 || entropy_.OneIn(2)) withheld_.insert(branch_[branch_.size() - 1 - entropy_.Below(back)]->hash);
  }
}

void Adversary::Turn() {
  const int64_t now_ns = world_.clock().now_ns();
  if (!is_leaving_ && now_ns >= become_ns_) Become();
  // Thrown out, it rests for a moment.
  const bool is_alone = transport_ != nullptr && transport_->connection_count() == 0;
  if (is_alone && become_ns_ > now_ns + kPauseNsMax)
    become_ns_ = now_ns + entropy_.Between(kPauseNsMax / 8, kPauseNsMax);
  if (transport_ == nullptr) {
    wakeup_.due_ns = is_leaving_ ? INT64_MAX : become_ns_;
    return;
  }
  transport_->Step(0);
  if (now_ns >= act_ns_) {
    std::vector<ConnectionId> open;
    for (const auto& [id, peer] : peers_) {
      if (peer.is_open) open.push_back(id);
    }
    for (const ConnectionId id : open) Act(id);
    act_ns_ = now_ns + entropy_.Between(50, 2'000) * kNsPerMs;
  }
  wakeup_.due_ns = std::max(now_ns + kRestNs, std::min({act_ns_, become_ns_, transport_->NextDueNs()}));
}

void Adversary::Leave() {
  is_leaving_ = true;
  peers_.clear();
  transport_ = nullptr;
  wakeup_.due_ns = INT64_MAX;
}

void Adversary::OnAccepted(ConnectionId connection, const Address&, const Address&) {
  peers_.emplace(connection, ParamsFor(ChainId::kRegtest).message_magic).first->second.is_open = true;
}

void Adversary::OnConnected(ConnectionId connection) {
  peers_.emplace(connection, ParamsFor(ChainId::kRegtest).message_magic).first->second.is_open = true;
  if (habit_ != Habit::kIsSilent) Greet(connection);
}

size_t Adversary::OnReceived(ConnectionId connection, ByteSpan bytes) {
  const auto found = peers_.find(connection);
  if (found == peers_.end()) return bytes.size();
  size_t consumed = 0;
  while (consumed < bytes.size() && found->second.framer.error() == FramingError::kNone) {
    consumed += found->second.framer.Consume(bytes.subspan(consumed));
    if (found->second.framer.has_message()) Answer(connection, found->second.framer.TakeMessage());
  }
  return bytes.size();
}

void Adversary::OnClosed(ConnectionId connection, CloseReason, int) { peers_.erase(connection); }

}  // namespace headrace::sim
