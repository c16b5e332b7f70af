#include "tests/rules/node_trial.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace headrace::testing {

NodeTrial::NodeTrial(const ChainParams& params, int64_t now_s) {
  TestNodeOptions options;
  options.directory = directory_.path();
  options.executor = &executor_;
  options.peers = &peers_;
  options.params = &params;
  options.now_s = now_s;
  node_ = std::make_unique<TestNode>(options);
}

void NodeTrial::Settle() {
  constexpr int kIdleTurns = 8;
  for (int idle = 0; idle < kIdleTurns;) {
    const auto turned = node_->Turn();
    ASSERT_TRUE(turned.ok()) << turned.status();
    idle = *turned ? 0 : idle + 1;
  }
}

Reception NodeTrial::OfferByPeer(const MinedBlock& block) {
  const PeerId id = next_peer_++;
  ScriptedPeer& peer = peers_.Connect(id, nullptr);
  peer.loose_blocks[block.hash] = block.raw;
  peers_.Say(HeadersReceived{id, {block.header}});
  Settle();
  Reception reception;
  reception.is_asked_for = std::count(peer.blocks_asked.begin(), peer.blocks_asked.end(), block.hash) != 0;
  reception.is_disconnected = peer.is_disconnected;
  reception.is_discouraged = peer.is_discouraged;
  reception.disconnect_reason = peer.disconnect_reason;
  reception.verdict = log_.Take(block.hash);
  if (!peer.is_disconnected) peers_.Leave(id);
  Settle();
  return reception;
}

void NodeTrial::Import(const std::vector<std::shared_ptr<const MinedBlock>>& blocks) {
  for (const auto& block : blocks) {
    // A full queue is emptied by a turn.
    while (!node_->node().OfferBlock(MaskedBytes{SharedBytes::From(block->raw)})) ASSERT_TRUE(node_->Turn().ok());
  }
  Settle();
}

void NodeTrial::ExpectAt(const Branch& branch) {
  EXPECT_EQ(tip().height, branch.height());
  EXPECT_EQ(tip().hash.ToHex(), branch.tip_hash().ToHex());
  node_->ExpectCoins(branch.coins());
}

}  // namespace headrace::testing
