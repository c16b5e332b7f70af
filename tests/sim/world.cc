#include "tests/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/sim/adversary.h"
#include "tests/sim/judge.h"
#include "tests/sim/miner.h"
#include "tests/sim/misfortune.h"
#include "tests/sim/node_log.h"

namespace headrace::sim {
namespace {

// An operator who follows the advice of the sentences gets a node back after so many starts at most.
constexpr int kFailedStartsMax = 4;

}  // namespace

World::World(const WorldOptions& options, bool is_verbose)
    : options_(options),
      entropy_(options.seed ^ 0x6865616472616365),
      trace_(clock_, is_verbose),
      network_(entropy_.Fork(), clock_, options.network),
      log_(std::make_unique<NodeLog>(*this, is_verbose)),
      judge_(std::make_unique<Judge>(*this)),
      best_public_(&model_.genesis()) {
  maker_ = std::make_unique<BlockMaker>(model_, entropy_.Fork(), clock_, options.transactions_max);
  MakeNodes();
  miner_ = std::make_unique<Miner>(*this, entropy_.Fork());
  misfortune_ = std::make_unique<Misfortune>(*this, entropy_.Fork());
  for (int i = 0; i < options_.adversaries && has(kAdversaries); ++i) {
    adversaries_.push_back(std::make_unique<Adversary>(*this, i, entropy_.Fork()));
  }
}

World::~World() = default;

void World::MakeNodes() {
  for (int i = 0; i < options_.nodes; ++i) {
    SimEntropy entropy = entropy_.Fork();
    SimNodeOptions node = DrawNodeOptions(entropy);
    node.address = HostAddress(i);
    // A ring, so that everybody can hear of everything, and a few more.
    if (options_.nodes > 1) node.connect.push_back(HostAddress((i + 1) % options_.nodes));
    if (options_.nodes > 3 && entropy.OneIn(2)) node.connect.push_back(HostAddress((i + 2) % options_.nodes));
    if (options_.adversaries > 0 && has(kAdversaries) && entropy.OneIn(2)) {
      node.connect.push_back(Address::Ipv4(
          10, 1, static_cast<uint8_t>(entropy.Below(static_cast<uint64_t>(options_.adversaries))), 255, 8333));
    }
    nodes_.push_back(std::make_unique<SimNode>(i, node, network_, clock_, entropy.Fork()));
    // One machine in two has less memory than its node would like.
    nodes_.back()->disk().ForgetOneIn(entropy.OneIn(2) ? static_cast<uint64_t>(entropy.Edgy(1, 4)) : 0);
    nodes_.back()->disk().SetTreachery(options_.forgotten_syncs, options_.swallowed_errors);
    starts_.push_back(Wakeup{.due_ns = clock_.now_ns() + entropy.Between(0, 500) * kNsPerMs});
    rebuilds_.push_back(SimNode::Rebuild::kNothing);
    failed_starts_.push_back(0);
  }
}

void World::Publish(const ModelBlock& block) {
  if (block.height > best_public_->height) best_public_ = &block;
}

void World::Fail(const std::string& sentence) {
  trace_.Add("FAILED ", sentence);
  if (result_.failure.empty()) result_.failure = sentence;
}

void World::StartNode(SimNode& node) {
  const auto number = static_cast<size_t>(node.number());
  starts_[number].due_ns = INT64_MAX;
  if (misfortune_->Rot(node)) {
    judge_->OnRot(node);
    failed_starts_[number] = 0;
    trace_.Add("node ", node.number(), " bits rotted");
  }
  // Most operators look at the disk first.
  if (is_healed_ || !entropy_.OneIn(4)) {
    node.disk().FailOneIn(0);
    node.disk().FillUp(false);
  }
  current_ = &node;
  const SimNode::Rebuild rebuild = std::exchange(rebuilds_[number], SimNode::Rebuild::kNothing);
  const absl::Status status = node.Start(rebuild);
  ++result_.starts;
  if (status.ok() && !node.has_lost_power()) {
    trace_.Add("node ", node.number(), " starts height=", node.applied().height, " durable=", node.durable().height,
               " rebuild=", static_cast<int>(rebuild));
    failed_starts_[number] = 0;
    judge_->OnStarted(node);
  } else {
    // What it was to rebuild is still to be rebuilt.
    rebuilds_[number] = rebuild;
    AfterFailure(node, status);
  }
  current_ = nullptr;
}

void World::StopNode(SimNode& node, int64_t down_ns) {
  current_ = &node;
  const absl::Status status = node.Stop();
  if (!status.ok() || node.has_lost_power()) {
    AfterFailure(node, status);
  } else {
    judge_->OnGone(node, true, true);
    trace_.Add("node ", node.number(), " stopped height=", node.stopped_at().height);
    starts_[static_cast<size_t>(node.number())].due_ns = clock_.now_ns() + down_ns;
  }
  current_ = nullptr;
}

void World::CrashNode(SimNode& node, bool has_power, int64_t down_ns) {
  current_ = &node;
  judge_->OnGone(node, true, false);
  node.Crash(has_power && !node.disk().has_lost_writes());
  trace_.Add("node ", node.number(), has_power ? " killed" : " loses power");
  starts_[static_cast<size_t>(node.number())].due_ns = clock_.now_ns() + down_ns;
  current_ = nullptr;
}

void World::AfterFailure(SimNode& node, const absl::Status& status) {
  const auto number = static_cast<size_t>(node.number());
  judge_->OnGone(node, false, false);
  if (node.has_lost_power()) {
    trace_.Add("node ", node.number(), " lost power at operation ", node.disk().counters().operations);
  } else {
    ++result_.statuses;
    trace_.Add("node ", node.number(), " stops: ", status.message());
    const SimNode::Rebuild wanted = judge_->OnStatus(node, status);
    rebuilds_[number] = std::max(rebuilds_[number], wanted);
    if (!node.is_running() && ++failed_starts_[number] > kFailedStartsMax && judge_->is_rotten(node)) {
      Fail(
          absl::StrCat("node ", node.number(), " does not start although its advice was followed: ", status.message()));
    }
  }
  if (node.is_running()) node.Crash(!node.has_lost_power() && !node.disk().has_lost_writes());
  starts_[number].due_ns = clock_.now_ns() + entropy_.Between(1, 3'000) * kNsPerMs;
}

void World::TurnNode(SimNode& node, int component) {
  current_ = &node;
  const absl::Status status = node.Turn(component);
  if (node.has_lost_power() || !status.ok()) {
    AfterFailure(node, status);
  } else if (component == SimNode::kEngine) {
    judge_->AfterEngineTurn(node);
  }
  current_ = nullptr;
}

// Turns whoever is due first; the clock stands still but for this.
void World::Tick() {
  int64_t due_ns = std::min(miner_->wakeup().due_ns, misfortune_->wakeup().due_ns);
  SimNode* node = nullptr;
  int component = -1;
  for (const auto& one : nodes_) {
    for (int c = 0; c < SimNode::kComponentCount; ++c) {
      if (one->wakeup(c).due_ns < due_ns) due_ns = one->wakeup(c).due_ns, node = one.get(), component = c;
    }
    if (starts_[static_cast<size_t>(one->number())].due_ns < due_ns) {
      due_ns = starts_[static_cast<size_t>(one->number())].due_ns, node = one.get(), component = -1;
    }
  }
  Adversary* adversary = nullptr;
  for (const auto& one : adversaries_) {
    if (one->wakeup().due_ns < due_ns) due_ns = one->wakeup().due_ns, adversary = one.get();
  }
  clock_.AdvanceTo(std::max(clock_.now_ns(), due_ns));
  if (adversary != nullptr) return adversary->Turn();
  if (node != nullptr) return component < 0 ? StartNode(*node) : TurnNode(*node, component);
  if (miner_->wakeup().due_ns <= clock_.now_ns()) return miner_->Turn();
  misfortune_->Turn();
}

void World::RunFor(int64_t simulated_ns, const std::function<bool()>& is_done) {
  const int64_t end_ns = clock_.now_ns() + simulated_ns;
  for (uint64_t tick = 0; clock_.now_ns() < end_ns && !has_failed(); ++tick) {
    if (tick % 64 == 0 && is_done()) return;
    Tick();
  }
}

void World::Heal() {
  trace_.Add("healing height=", best_public_->height);
  is_healed_ = true;
  misfortune_->Lift();
  miner_->Rest();
  for (const auto& adversary : adversaries_) adversary->Leave();
  const auto are_all_up = [this] {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [](const auto& node) { return node->is_running() && !node->is_recovering(); });
  };
  RunFor(300 * kNsPerSecond, are_all_up);
  if (!has_failed() && !are_all_up()) Fail("a node is not up again long after everything was healed");
}

void World::DemandConvergence() {
  constexpr int64_t kPatienceNs = 600 * kNsPerSecond;
  constexpr int64_t kImportPatienceNs = 10 * kPatienceNs;
  // Whoever has the most work now, all others must reach it without any new block.
  uint32_t height = 0;
  for (const auto& node : nodes_) height = std::max(height, node->applied().height);
  const auto have_all_reached = [&] {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [&](const auto& node) { return node->is_running() && node->applied().height >= height; });
  };
  RunFor(kPatienceNs, have_all_reached);
  for (const auto& node : nodes_) {
    if (has_failed() || (node->is_running() && node->applied().height >= height)) continue;
    Fail(absl::StrCat("node ", node->number(), " has not reached height ", height, ", which others have: it is at ",
                      node->is_running() ? node->applied().height : 0));
  }
  if (has_failed()) return;
  // A node that takes two blocks at a time, each when a slow worker has ended, may have hundreds waiting.
  const auto have_all_been_taken = [this] {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [](const auto& node) { return node->is_running() && node->has_taken_offers(); });
  };
  RunFor(kImportPatienceNs, have_all_been_taken);
  if (has_failed()) return;
  if (!have_all_been_taken()) return Fail("a node has not taken the blocks that were handed to it");
  // Branches that are level are decided by two more blocks.
  const ModelBlock& made = maker_->Extend(*best_public_, 2);
  miner_->Offer(*nodes_[entropy_.Below(nodes_.size())], made);
  const auto have_all_met = [&] {
    return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
      return node->is_running() && node->applied().height >= made.height && node->applied() == nodes_[0]->applied() &&
             node->resolved() == node->applied();
    });
  };
  RunFor(kPatienceNs, have_all_met);
  if (has_failed() || have_all_met()) return;
  std::string where;
  for (const auto& node : nodes_)
    absl::StrAppend(&where, " ", node->number(), ":", node->is_running() ? node->applied().height : 0);
  Fail(absl::StrCat("the nodes do not meet at height ", made.height, " long after everything was healed:", where));
}

// A clean stop and a start: the same tip, the same set.
void World::DemandDurability() {
  for (const auto& node : nodes_) {
    const BlockPoint tip = node->applied();
    const ModelBlock& block = *model_.Find(tip.hash);
    judge_->CompareSets(*node, block);
    StopNode(*node, 0);
    // What rotted is found by whoever reads it, the last checkpoint for one: then it is built anew.
    const bool builds_anew = rebuilds_[static_cast<size_t>(node->number())] != SimNode::Rebuild::kNothing && judge_->is_rotten(*node);
    StartNode(*node);
    if (builds_anew) {
      RunFor(600 * kNsPerSecond, [&] { return node->is_running() && node->applied() == tip && node->resolved() == tip; });
    }
    if (has_failed()) return;
    if (!node->is_running() || node->applied() != tip) {
      return Fail(
          absl::StrCat("node ", node->number(), " is not where it was after a clean stop at height ", tip.height));
    }
    judge_->CompareSets(*node, block);
  }
}

WorldResult World::Run() {
  for (uint64_t tick = 0; tick < options_.ticks && !has_failed(); ++tick) Tick();
  if (!has_failed()) Heal();
  if (!has_failed()) DemandConvergence();
  if (!has_failed()) DemandDurability();
  for (const auto& node : nodes_) {
    const SimDiskCounters& disk = node->disk().counters();
    trace_.Add("node ", node->number(), " disk operations=", disk.operations, " bytes=", disk.bytes_written,
               " syncs=", disk.syncs);
    result_.disk_operations += disk.operations;
    result_.absent_pages += disk.absent_pages;
    result_.power_failures += disk.power_failures;
  }
  result_.trace_hash = trace_.hash();
  result_.trace_events = trace_.count();
  result_.blocks_made = model_.blocks().size() - 1;
  result_.height = best_public_->height;
  result_.simulated_ns = clock_.now_ns();
  return result_;
}

}  // namespace headrace::sim
