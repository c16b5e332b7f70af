// A node that judges blocks: real engine, real stores, no threads. It has a branch, and is offered more by peers and by
// file; what it said, whom it sent away and what it kept is asked for afterwards. A test's own thread.
#pragma once

#include <optional>
#include <string>

#include "tests/rules/branch.h"
#include "tests/rules/verdict_log.h"
#include "tests/support/inline_executor.h"
#include "tests/support/node/scripted_peers.h"
#include "tests/support/node/test_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

// What came of a block that a peer announced and sent.
struct Reception {
  bool is_asked_for = false;  // the node wanted the block behind the header
  bool is_disconnected = false;
  bool is_discouraged = false;
  std::string disconnect_reason;
  std::optional<LoggedVerdict> verdict;  // nothing: it was not refused
};

class NodeTrial {
 public:
  NodeTrial(const ChainParams& params, int64_t now_s);

  // A new peer announces the block's header, sends the block when it is asked, and stays or goes as the node likes.
  Reception OfferByPeer(const MinedBlock& block);
  // Files with these blocks, read in one go, so that windows are as long as they can be.
  void Import(const std::vector<std::shared_ptr<const MinedBlock>>& blocks);
  std::optional<LoggedVerdict> VerdictOn(const MinedBlock& block) { return log_.Take(block.hash); }
  void SetNow(int64_t now_s) { node_->SetNow(now_s); }

  BlockPoint tip() { return node_->node().AppliedTip(); }
  // The branch's tip is the node's, and the unspent set is the branch's, coin by coin and by its hash.
  void ExpectAt(const Branch& branch);

  TestNode& node() { return *node_; }
  ScriptedPeers& peers() { return peers_; }
  // Turns until nothing moves: everything runs on this thread, so a few idle turns are proof.
  void Settle();

 private:
  TemporaryDirectory directory_;
  VerdictLog log_;
  InlineExecutor executor_;
  ScriptedPeers peers_;
  PeerId next_peer_ = 1;
  std::unique_ptr<TestNode> node_;
};

}  // namespace headrace::testing
