#include "tests/sim/miner.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

// A node that does not take a block yet is asked again after this long.
constexpr int64_t kHandoverNs = 20 * kNsPerMs;
// Below this height nothing can be spent: the first blocks come in long runs.
constexpr uint32_t kSpendableHeight = 104;

}  // namespace

Miner::Miner(World& world, SimEntropy entropy) : world_(world), entropy_(entropy), mine_ns_(world.clock().now_ns()) {
  wakeup_.due_ns = mine_ns_;
}

void Miner::Turn() {
  const int64_t now_ns = world_.clock().now_ns();
  if (!is_resting_ && now_ns >= mine_ns_) {
    Mine();
    mine_ns_ = now_ns + entropy_.Between(1, 2 * world_.options().mining_interval_ns);
  }
  HandOver();
  wakeup_.due_ns = is_resting_ ? INT64_MAX : mine_ns_;
  if (!handovers_.empty()) wakeup_.At(now_ns + kHandoverNs);
}

const ModelBlock* Miner::Extend(const ModelBlock& tip) {
  if (tip.height < kSpendableHeight && entropy_.OneIn(2)) return &world_.maker().Extend(tip, 20);
  const uint32_t count = entropy_.OneIn(8) ? static_cast<uint32_t>(entropy_.Between(2, 6)) : 1;
  return &world_.maker().Extend(tip, count);
}

void Miner::Mine() {
  auto& nodes = world_.nodes();
  SimNode& node = *nodes[entropy_.Below(nodes.size())];
  if (!node.is_running()) return;
  const ModelBlock* tip = world_.model().Find(node.applied().hash);
  if (tip == nullptr || !tip->is_valid()) return;
  const bool may_fork = world_.has(kReorganisations) && tip->height > kSpendableHeight;
  if (!may_fork || !entropy_.OneIn(5)) {
    const ModelBlock* made = Extend(*tip);
    Offer(node, *made);
    // The same height at another node at the same moment.
    SimNode& other = *nodes[entropy_.Below(nodes.size())];
    if (may_fork && entropy_.OneIn(6) && other.is_running())
      Offer(other, world_.maker().Extend(*tip, made->height - tip->height));
    return;
  }
  if (entropy_.OneIn(3)) {
    // A branch that lost is taken up again.
    const auto& blocks = world_.model().blocks();
    for (int tries = 0; tries < 8; ++tries) {
      const ModelBlock& stale = *blocks[blocks.size() - 1 - entropy_.Below(std::min<size_t>(blocks.size(), 40))];
      if (!stale.is_valid() || stale.height + 6 < tip->height) continue;
      const uint32_t behind = tip->height > stale.height ? tip->height - stale.height : 0;
      return Offer(node, world_.maker().Extend(stale, behind + static_cast<uint32_t>(entropy_.Below(3))));
    }
  }
  const uint32_t depth = static_cast<uint32_t>(entropy_.Between(1, world_.options().reorganisation_depth_max));
  const ModelBlock& fork = *tip->Ancestor(tip->height - std::min(depth, tip->height));
  // One less than needed, as many, or more.
  const uint32_t count =
      tip->height - fork.height + static_cast<uint32_t>(entropy_.Below(3)) - (depth > 1 && entropy_.OneIn(4) ? 1 : 0);
  Offer(node, world_.maker().Extend(fork, count));
}

void Miner::Offer(SimNode& node, const ModelBlock& tip) {
  if (!tip.is_valid()) return;
  world_.Publish(tip);
  const ModelBlock* applied = world_.model().Find(node.applied().hash);
  const ModelBlock* fork = LastCommonAncestor(&tip, applied);
  Handover handover{node.number(), {}};
  for (const ModelBlock* block = &tip; block != fork; block = block->parent) handover.blocks.push_front(block);
  world_.trace().Add("mined height=", tip.height, " hash=", tip.hash.ToHex().substr(48),
                     " blocks=", handover.blocks.size(), " fork=", fork->height, " node=", node.number());
  handovers_.push_back(std::move(handover));
  wakeup_.At(world_.clock().now_ns());
}

void Miner::HandOver() {
  for (Handover& handover : handovers_) {
    SimNode& node = *world_.nodes()[static_cast<size_t>(handover.node)];
    // What a node that is down does not take is lost to it; others may have it.
    if (!node.is_running()) handover.blocks.clear();
    while (!handover.blocks.empty() && node.OfferBlock(*handover.blocks.front())) handover.blocks.pop_front();
  }
  std::erase_if(handovers_, [](const Handover& handover) { return handover.blocks.empty(); });
}

}  // namespace headrace::sim
