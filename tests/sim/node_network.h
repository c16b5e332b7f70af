// Networks of whole nodes in simulated time, for tests that say themselves what happens to them: each node in a group
// of its own, each of its components turned when it is due, and blocks from one maker.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tests/sim/block_maker.h"
#include "tests/sim/sim_node.h"

namespace headrace::sim {

// The parameter is the seed.
class NodeNetworkTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  static Address HostAt(int number) { return Address::Ipv4(static_cast<uint8_t>(20 + number), 1, 2, 3, 8333); }

  // A host that is not running yet; where it is and how fast is filled in.
  SimNode& AddNode(SimNodeOptions options) {
    const int number = static_cast<int>(nodes_.size());
    options.address = HostAt(number);
    options.turn_ns_max = {kNsPerMs, kNsPerMs, kNsPerMs, kNsPerMs};
    nodes_.push_back(std::make_unique<SimNode>(number, options, network_, clock_, entropy_.Fork()));
    return *nodes_.back();
  }
  SimNode& Start(int number) {
    SimNode& node = *nodes_[static_cast<size_t>(number)];
    const absl::Status started = node.Start(SimNode::Rebuild::kNothing);
    EXPECT_TRUE(started.ok()) << started;
    return node;
  }
  // Those that are running.
  bool AllAreAtTip() const {
    return std::all_of(nodes_.begin(), nodes_.end(),
                       [this](const auto& node) { return !node->is_running() || node->applied().hash == tip_->hash; });
  }

  // Whoever is due is turned, until `done` or so much time has passed.
  bool RunUntil(const std::function<bool()>& done, int64_t seconds) {
    const int64_t end_ns = clock_.now_ns() + seconds * kNsPerSecond;
    while (!done()) {
      SimNode* next = nullptr;
      int component = 0;
      int64_t due_ns = end_ns;
      for (const auto& node : nodes_) {
        for (int c = 0; c < SimNode::kComponentCount; ++c) {
          if (node->wakeup(c).due_ns < due_ns) due_ns = node->wakeup(c).due_ns, next = node.get(), component = c;
        }
      }
      clock_.AdvanceTo(std::max(clock_.now_ns(), due_ns));
      if (next == nullptr) return false;
      const absl::Status turned = next->Turn(component);
      if (!turned.ok()) {
        ADD_FAILURE() << "node " << next->number() << ": " << turned;
        return false;
      }
    }
    return true;
  }
  void Run(int64_t seconds) {
    RunUntil([] { return false; }, seconds);
  }

  SimEntropy entropy_{GetParam()};
  SimClock clock_;
  ChainModel model_;
  BlockMaker maker_{model_, entropy_.Fork(), clock_, 3};
  SimNetwork network_{entropy_.Fork(), clock_, {}};
  std::vector<std::unique_ptr<SimNode>> nodes_;
  const ModelBlock* tip_ = &model_.genesis();
};

}  // namespace headrace::sim
