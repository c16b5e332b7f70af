#include "tests/rules/rule_case.h"

#include <algorithm>

namespace headrace::testing {
namespace {

std::vector<RuleCase> Collect() {
  std::vector<RuleCase> all;
  for (const auto topic : {HeaderCases, ParentCases, DifficultyCases, EncodingCases, SignetCases, CoinbaseCases,
                           MutationCases, TransactionCases, SizeCases, SigopCases, FinalityCases, SequenceLockCases,
                           WitnessCases, DuplicateCases, SpendCases, AmountCases, ScriptCases, TaprootCases}) {
    std::vector<RuleCase> cases = topic();
    std::move(cases.begin(), cases.end(), std::back_inserter(all));
  }
  std::stable_sort(all.begin(), all.end(), [](const RuleCase& a, const RuleCase& b) { return a.rule < b.rule; });
  return all;
}

}  // namespace

const std::vector<RuleCase>& AllCases() {
  static const auto* all = new std::vector<RuleCase>(Collect());
  return *all;
}

MinedBlock MineWith(const Branch& branch, std::vector<MutableTransaction> transactions) {
  Draft draft = branch.NextDraft();
  std::move(transactions.begin(), transactions.end(), std::back_inserter(draft.transactions));
  return branch.Mine(std::move(draft));
}

Attempt Try(const Branch& branch, Draft breaking, Draft twin) {
  return {branch.Mine(std::move(breaking)), branch.Mine(std::move(twin))};
}

Attempt TryTransactions(const Branch& branch, std::vector<MutableTransaction> breaking,
                        std::vector<MutableTransaction> twin, uint32_t transaction, uint32_t input) {
  return {MineWith(branch, std::move(breaking)), MineWith(branch, std::move(twin)), transaction, input};
}

}  // namespace headrace::testing
