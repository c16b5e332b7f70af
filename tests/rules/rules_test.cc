// Every case, through the node: by a peer at the tip, and in the middle of a file, where it shares a window with what
// is below and above it.
#include <array>
#include <set>

#include "gtest/gtest.h"
#include "tests/rules/case_export.h"
#include "tests/rules/node_trial.h"
#include "tests/rules/rule_case.h"
#include "tests/rules/run_summary.h"

namespace headrace::testing {
namespace {

bool IsHeaderRule(Rule rule) { return rule >= Rule::kHeaderDuplicateInvalid && rule <= Rule::kVersionTooOld; }

std::string StageOf(Rule rule) {
  if (IsHeaderRule(rule)) return "header";
  if (rule == Rule::kMalformed) return "parse";
  if (rule == Rule::kScript) return "verify";
  return rule < Rule::kDuplicateUnspentTransaction ? "check" : "resolve";
}

void ExpectVerdict(const RuleCase& c, const Attempt& attempt, const std::optional<LoggedVerdict>& verdict) {
  ASSERT_TRUE(verdict.has_value()) << "the node did not refuse it";
  EXPECT_EQ(verdict->reason, c.reject);
  EXPECT_EQ(verdict->stage, attempt.stage.empty() ? StageOf(c.rule) : attempt.stage);
  EXPECT_EQ(verdict->transaction, attempt.transaction);
  EXPECT_EQ(verdict->input, attempt.input);
}

// The sender answers for what it sent, unless the clocks may differ.
void ExpectPunishment(const RuleCase& c, const Reception& reception) {
  EXPECT_TRUE(reception.is_disconnected);
  EXPECT_EQ(reception.is_discouraged, c.rule != Rule::kTimeTooNew);
  EXPECT_EQ(reception.is_asked_for, !IsHeaderRule(c.rule));
  const std::string before = IsHeaderRule(c.rule) ? "invalid header: " : "sent a bad block: ";
  EXPECT_EQ(reception.disconnect_reason, before + c.reject);
}

// What the node makes of the header when somebody else shows it.
void ExpectMemory(const RuleCase& c, const Attempt& attempt, NodeTrial& trial) {
  const Reception again = trial.OfferByPeer(attempt.breaking);
  if (IsHeaderRule(c.rule) || InfoFor(c.rule).is_mutation) {
    // It is judged again: its hash was not condemned.
    ExpectPunishment(c, again);
    ExpectVerdict(c, attempt, again.verdict);
  } else {
    EXPECT_FALSE(again.is_asked_for);
    EXPECT_EQ(again.disconnect_reason, "invalid header: duplicate-invalid");
  }
}

void ExpectTwinConnects(const Attempt& attempt, const Branch& below, NodeTrial& trial) {
  if (attempt.twin_now_s != 0) trial.SetNow(attempt.twin_now_s);
  const Reception reception = trial.OfferByPeer(attempt.twin);
  EXPECT_EQ(reception.verdict ? reception.verdict->reason : "", "") << "the twin";
  EXPECT_FALSE(reception.is_disconnected) << reception.disconnect_reason;
  Branch with_twin = below;
  with_twin.Connect(attempt.twin);
  trial.ExpectAt(with_twin);
}

void JudgeFromPeer(const RuleCase& c, const Attempt& attempt, const Branch& below, const ChainParams& params) {
  NodeTrial trial(params, attempt.now_s);
  trial.Import(below.blocks());
  trial.ExpectAt(below);
  ASSERT_FALSE(::testing::Test::HasFailure()) << "the chain below is not what the case thinks";
  const Reception reception = trial.OfferByPeer(attempt.breaking);
  ExpectVerdict(c, attempt, reception.verdict);
  ExpectPunishment(c, reception);
  trial.ExpectAt(below);
  ExpectMemory(c, attempt, trial);
  trial.ExpectAt(below);
  ExpectTwinConnects(attempt, below, trial);
}

void JudgeFromFile(const RuleCase& c, const Attempt& attempt, const Branch& below, const ChainParams& params) {
  NodeTrial trial(params, attempt.now_s);
  std::vector<std::shared_ptr<const MinedBlock>> file = below.blocks();
  Branch above = below;
  above.Connect(attempt.breaking);
  // What a mutated block's children stand on may be a good block.
  if (!InfoFor(c.rule).is_mutation) above.Grow(2);
  std::copy(above.blocks().begin() + below.height(), above.blocks().end(), std::back_inserter(file));
  trial.Import(file);
  ExpectVerdict(c, attempt, trial.VerdictOn(attempt.breaking));
  trial.ExpectAt(below);
  ExpectTwinConnects(attempt, below, trial);
}

class RuleCaseTest : public ::testing::TestWithParam<RuleCase> {};

TEST_P(RuleCaseTest, BreaksTheRuleAndItsTwinDoesNot) {
  const RuleCase& c = GetParam();
  ++CurrentRun().cases;
  if (c.prove) {
    ++CurrentRun().proofs;
    return c.prove();
  }
  Branch below = Branch::OfHeight(c.network(), c.base_height);
  const Attempt attempt = c.build(below);
  const ChainParams& params = attempt.params ? *attempt.params : c.network();
  if (InfoFor(c.rule).is_mutation && attempt.breaking.raw->size() > BlockHeader::kSerializedBytes) {
    EXPECT_NE(AsText(attempt.breaking.raw->bytes()), AsText(attempt.twin.raw->bytes()));
  }
  ExportCase(c, attempt, below);
  {
    SCOPED_TRACE("from a peer");
    JudgeFromPeer(c, attempt, below, params);
  }
  SCOPED_TRACE("from a file");
  JudgeFromFile(c, attempt, below, params);
}

INSTANTIATE_TEST_SUITE_P(All, RuleCaseTest, ::testing::ValuesIn(AllCases()),
                         [](const auto& info) { return info.param.name; });

TEST(RuleCases, CoverEveryRuleAndSayWhatTheyDo) {
  std::array<int, static_cast<size_t>(Rule::kCount)> counts{};
  std::set<std::string> names;
  for (const RuleCase& c : AllCases()) {
    SCOPED_TRACE(c.name);
    ++counts[static_cast<size_t>(c.rule)];
    EXPECT_TRUE(names.insert(c.name).second) << "two cases have this name";
    EXPECT_FALSE(c.breaking.empty() || c.twin.empty() || c.reject.empty());
    EXPECT_NE(c.build != nullptr, c.prove != nullptr);
    // The case's words are written down apart from the engine's table, so that neither can err alone.
    EXPECT_EQ(c.reject.substr(0, InfoFor(c.rule).reject_reason.size()), InfoFor(c.rule).reject_reason);
  }
  for (const RuleInfo& info : kRules) {
    if (info.rule != Rule::kNone) EXPECT_GT(counts[static_cast<size_t>(info.rule)], 0) << info.sentence;
  }
}

}  // namespace

// Names failing cases in test reports.
void PrintTo(const RuleCase& c, std::ostream* out) { *out << c.name; }

}  // namespace headrace::testing
