#include "tests/sim/misfortune.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace headrace::sim {

Misfortune::Misfortune(World& world, SimEntropy entropy) : world_(world), entropy_(entropy) {
  strike_ns_ = world.clock().now_ns() + world.options().fault_interval_ns;
  wakeup_.due_ns = strike_ns_;
}

void Misfortune::Turn() {
  const int64_t now_ns = world_.clock().now_ns();
  if (now_ns >= partition_ends_ns_) {
    world_.network().Partition({});
    world_.trace().Add("partition ends");
    partition_ends_ns_ = INT64_MAX;
  }
  if (now_ns >= strike_ns_) {
    Strike();
    strike_ns_ = now_ns + entropy_.Between(1, 2 * world_.options().fault_interval_ns);
  }
  wakeup_.due_ns = std::min(strike_ns_, partition_ends_ns_);
}

void Misfortune::Strike() {
  if (world_.has(kNetworkFaults) && entropy_.OneIn(2)) return StrikeNetwork();
  auto& nodes = world_.nodes();
  SimNode& node = *nodes[entropy_.Below(nodes.size())];
  if (node.is_running()) StrikeNode(node);
}

void Misfortune::StrikeNode(SimNode& node) {
  const int64_t down_ns = entropy_.Between(1, 5'000) * kNsPerMs;
  switch (entropy_.Below(9)) {
    case 0:
      if (world_.has(kKills)) world_.StopNode(node, down_ns);
      return;
    case 1:
      if (world_.has(kKills)) world_.CrashNode(node, true, down_ns);
      return;
    case 2:
      if (world_.has(kPowerFailures)) world_.CrashNode(node, false, down_ns);
      return;
    case 3:
    case 4:
      // In the middle of something: a checkpoint is a few thousand operations.
      if (world_.has(kPowerFailures)) node.disk().FailPowerAfter(1 + entropy_.Below(entropy_.OneIn(2) ? 40 : 3'000));
      return;
    case 8:
      // Or where names change, which is where orders of writes and syncs are put to the test.
      if (world_.has(kPowerFailures)) node.disk().FailPowerAfterNameChange(1 + entropy_.Below(6));
      return;
    case 7:
      if (world_.has(kKills)) node.disk().KillAfter(1 + entropy_.Below(entropy_.OneIn(2) ? 40 : 3'000));
      return;
    case 5:
      if (world_.has(kDiskErrors)) node.disk().FailOneIn(static_cast<uint64_t>(entropy_.Edgy(1, 1'000)));
      return;
    case 6:
      if (world_.has(kDiskFull)) node.disk().FillUp(true);
      return;
    default:
      return;
  }
}

void Misfortune::StrikeNetwork() {
  SimNetwork& network = world_.network();
  const int64_t duration_ns = entropy_.Between(100, 8'000) * kNsPerMs;
  switch (entropy_.Below(4)) {
    case 0:
      if (network.ResetOne()) world_.trace().Add("reset");
      return;
    case 1:
      if (network.StallOne(duration_ns)) world_.trace().Add("stall");
      return;
    case 2:
      if (network.DripOne(duration_ns)) world_.trace().Add("drip");
      return;
    default:
      break;
  }
  if (network.is_partitioned()) return;
  std::set<std::array<uint8_t, 16>> side;
  for (const auto& node : world_.nodes()) {
    if (entropy_.OneIn(2)) side.insert(node->options().address.ip);
  }
  network.Partition(side);
  partition_ends_ns_ = world_.clock().now_ns() + 2 * duration_ns;
  world_.trace().Add("partition hosts=", side.size());
}

void Misfortune::Lift() {
  world_.network().Heal();
  for (const auto& node : world_.nodes()) {
    node->disk().FailOneIn(0);
    node->disk().FillUp(false);
    node->disk().FailPowerAfter(0);
    node->disk().FailPowerAfterNameChange(0);
  }
  wakeup_.due_ns = INT64_MAX;
}

bool Misfortune::Rot(SimNode& node) {
  if (!world_.has(kBitRot) || !entropy_.OneIn(3)) return false;
  static constexpr const char* kFiles[] = {"blk", "rev", "index.dat", "segment-", "image-", "coins.manifest"};
  return node.disk().Rot(kFiles[entropy_.Below(std::size(kFiles))]);
}

}  // namespace headrace::sim
