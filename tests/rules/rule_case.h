// A case: one rule, a block that breaks exactly it, and a twin that keeps it at the limit. Cases are data and a
// builder; every topic has a file of them, and AllCases is the one list that the tests and the table in tests/README.md
// are made from. A rule without a case fails a test.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/consensus/chain_params.h"
#include "engine/consensus/rule.h"
#include "tests/rules/branch.h"

namespace headrace::testing {

// What a builder makes of a branch, which is what lies below: the branch itself is valid.
struct Attempt {
  MinedBlock breaking;
  MinedBlock twin;
  // Where the verdict points.
  uint32_t transaction = 0;
  uint32_t input = 0;
  // The stage that must refuse it, where the rule is judged in more than one: "check", "resolve". Otherwise it follows
  // from the rule.
  std::string stage = {};
  // The clock's date, and the one at which the twin comes when that is another.
  int64_t now_s = 2'000'000'000;
  int64_t twin_now_s = 0;
  // Replaces the case's parameters where these name a block that the builder has made.
  std::shared_ptr<const ChainParams> params = nullptr;
};

struct RuleCase {
  Rule rule;
  std::string name;      // of the test
  std::string breaking;  // what breaks the rule, for the table
  std::string twin;      // what keeps it
  std::string reject;    // the field's words, whole
  std::function<Attempt(Branch&)> build;
  // The network; regtest when absent. The branch that the builder gets stands on its genesis, this high.
  const ChainParams& (*params)() = nullptr;
  uint32_t base_height = 110;
  // Instead of `build`, where no block that reaches the rule can be made, or one is not enough: proves both sides by
  // itself, and says why in a comment.
  std::function<void()> prove = nullptr;

  const ChainParams& network() const { return params == nullptr ? ParamsFor(ChainId::kRegtest) : params(); }
};

// In the order of kRules.
const std::vector<RuleCase>& AllCases();

// By topic.
std::vector<RuleCase> HeaderCases();
std::vector<RuleCase> ParentCases();
std::vector<RuleCase> DifficultyCases();
std::vector<RuleCase> EncodingCases();
std::vector<RuleCase> SignetCases();
std::vector<RuleCase> CoinbaseCases();
std::vector<RuleCase> MutationCases();
std::vector<RuleCase> TransactionCases();
std::vector<RuleCase> SizeCases();
std::vector<RuleCase> SigopCases();
std::vector<RuleCase> FinalityCases();
std::vector<RuleCase> SequenceLockCases();
std::vector<RuleCase> WitnessCases();
std::vector<RuleCase> DuplicateCases();
std::vector<RuleCase> SpendCases();
std::vector<RuleCase> AmountCases();
std::vector<RuleCase> ScriptCases();
std::vector<RuleCase> TaprootCases();

// The draft with more transactions, mined.
MinedBlock MineWith(const Branch& branch, std::vector<MutableTransaction> transactions);
// A breaking block and its twin out of one draft each.
Attempt Try(const Branch& branch, Draft breaking, Draft twin);
// A breaking block and its twin that differ in what follows the coinbase.
Attempt TryTransactions(const Branch& branch, std::vector<MutableTransaction> breaking,
                        std::vector<MutableTransaction> twin, uint32_t transaction = 1, uint32_t input = 0);

}  // namespace headrace::testing
