// Where a header stands: known already and bad, without a parent, on a bad parent. One block does not show these; each
// case is a short story of its own.
#include "engine/chain/header_acceptance.h"
#include "gtest/gtest.h"
#include "tests/rules/node_trial.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr int64_t kNow_s = 2'000'000'000;

const ChainParams& Regtest() { return ParamsFor(ChainId::kRegtest); }

// A block that pays itself too much.
MinedBlock GreedyBlock(const Branch& branch) {
  Draft draft = branch.NextDraft();
  ++draft.coinbase().outputs[0].amount;
  return branch.Mine(std::move(draft));
}

void KnownInvalidHeader() {
  const Branch below = Branch::OfHeight(Regtest(), 3);
  NodeTrial trial(Regtest(), kNow_s);
  trial.Import(below.blocks());
  const MinedBlock bad = GreedyBlock(below);
  EXPECT_EQ(trial.OfferByPeer(bad).verdict->reason, "bad-cb-amount");
  const Reception again = trial.OfferByPeer(bad);
  EXPECT_EQ(again.disconnect_reason, "invalid header: duplicate-invalid");
  EXPECT_TRUE(again.is_discouraged);
  EXPECT_FALSE(again.is_asked_for);
  // One that is known and good is no offence, however often it is shown.
  const Reception known = trial.OfferByPeer(*below.blocks().back());
  EXPECT_FALSE(known.is_disconnected) << known.disconnect_reason;
  EXPECT_FALSE(known.is_asked_for);
  trial.ExpectAt(below);
}

// Peers may run ahead of what we know: the node asks for what lies between, and words no verdict. Files wait for the
// parent.
void UnknownParent() {
  Branch branch = Branch::OfHeight(Regtest(), 3);
  HeaderTree tree(BlockHeader::Load(GenesisBlock(Regtest()).data()));
  const BlockHeader first = branch.blocks()[0]->header, second = branch.blocks()[1]->header;
  const HeaderAcceptance refused = AcceptHeader(tree, second, Regtest(), kNow_s);
  EXPECT_EQ(refused.verdict.RejectReason(), "prev-blk-not-found");
  EXPECT_EQ(refused.id, kNoHeader);
  EXPECT_TRUE(AcceptHeader(tree, first, Regtest(), kNow_s).verdict.ok());
  EXPECT_TRUE(AcceptHeader(tree, second, Regtest(), kNow_s).verdict.ok());

  NodeTrial trial(Regtest(), kNow_s);
  const Branch below = branch;
  trial.Import(below.blocks());
  branch.Grow(2);
  const Reception orphan = trial.OfferByPeer(*branch.blocks()[4]);
  EXPECT_FALSE(orphan.is_asked_for);
  EXPECT_FALSE(orphan.is_disconnected) << orphan.disconnect_reason;
  trial.ExpectAt(below);
  EXPECT_FALSE(trial.OfferByPeer(*branch.blocks()[3]).verdict.has_value());
  EXPECT_FALSE(trial.OfferByPeer(*branch.blocks()[4]).verdict.has_value());
  trial.ExpectAt(branch);
}

void InvalidParent() {
  const Branch below = Branch::OfHeight(Regtest(), 3);
  Branch bad = below, good = below;
  bad.Connect(GreedyBlock(below));
  bad.Grow(1);
  good.Grow(2);
  NodeTrial trial(Regtest(), kNow_s);
  trial.Import(below.blocks());
  EXPECT_EQ(trial.OfferByPeer(*bad.blocks()[3]).verdict->reason, "bad-cb-amount");
  const Reception child = trial.OfferByPeer(*bad.blocks()[4]);
  EXPECT_EQ(child.disconnect_reason, "invalid header: bad-prevblk");
  EXPECT_TRUE(child.is_discouraged);
  EXPECT_FALSE(child.is_asked_for);
  trial.ExpectAt(below);
  for (const uint32_t height : {4, 5}) EXPECT_FALSE(trial.OfferByPeer(*good.blocks()[height - 1]).is_disconnected);
  trial.ExpectAt(good);
}

}  // namespace

std::vector<RuleCase> ParentCases() {
  return {
      {.rule = Rule::kHeaderDuplicateInvalid,
       .name = "KnownInvalidHeader",
       .breaking = "the header of a block that was found invalid, once more",
       .twin = "the header of a good block, once more",
       .reject = "duplicate-invalid",
       .prove = KnownInvalidHeader},
      {.rule = Rule::kParentUnknown,
       .name = "UnknownParent",
       .breaking = "a header two above what is known",
       .twin = "the same after its parent",
       .reject = "prev-blk-not-found",
       .prove = UnknownParent},
      {.rule = Rule::kParentInvalid,
       .name = "InvalidParent",
       .breaking = "a good header on a block that was found invalid",
       .twin = "one on a good block",
       .reject = "bad-prevblk",
       .prove = InvalidParent},
  };
}

}  // namespace headrace::testing
