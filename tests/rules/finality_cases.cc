// Absolute lock times: heights, and seconds before and under BIP113.
#include "engine/consensus/check_transaction.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kNotFinalSequence = 0xfffffffe;

MutableTransaction Locked(const HeldCoin& coin, uint32_t lock_time, uint32_t sequence = kNotFinalSequence) {
  MutableTransaction transaction = Spend({coin});
  transaction.lock_time = lock_time;
  transaction.inputs[0].sequence = sequence;
  return transaction;
}

auto LockTimes(std::function<int64_t(const Branch&)> breaking, std::function<int64_t(const Branch&)> twin) {
  return [=](Branch& branch) {
    const HeldCoin coin = branch.TakeCoin();
    return TryTransactions(branch, {Locked(coin, static_cast<uint32_t>(breaking(branch)))},
                           {Locked(coin, static_cast<uint32_t>(twin(branch)))});
  };
}

int64_t NextHeight(const Branch& branch) { return branch.height() + 1; }

const ChainParams& LateCsvParams() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.csv_height = 113;
    return late;
  }();
  return params;
}

// Before BIP113 the block's own time counts.
auto AgainstOwnTime(int64_t breaking_offset_s, int64_t twin_offset_s) {
  return LockTimes([=](const Branch& branch) { return branch.NextDraft().header.time_s + breaking_offset_s; },
                   [=](const Branch& branch) { return branch.NextDraft().header.time_s + twin_offset_s; });
}

Attempt FromBip113On(Branch& branch) {
  branch.Grow(1);
  const auto between = [&] { return branch.NextDraft().header.time_s - 1; };
  branch.Add({Locked(branch.TakeCoin(), between())});
  const HeldCoin coin = branch.TakeCoin();
  return TryTransactions(branch, {Locked(coin, between())},
                         {Locked(coin, static_cast<uint32_t>(branch.median_time_past() - 1))});
}

Attempt CoinbaseIsNotFinal(Branch& branch) {
  Draft bad = branch.NextDraft(), good = branch.NextDraft();
  for (Draft* draft : {&bad, &good}) draft->coinbase().inputs[0].sequence = kNotFinalSequence;
  bad.coinbase().lock_time = bad.height;
  good.coinbase().lock_time = good.height - 1;
  return Try(branch, std::move(bad), std::move(good));
}

Attempt OneInputOfTwo(Branch& branch) {
  MutableTransaction good = Spend({branch.TakeCoin(), branch.TakeCoin()});
  good.lock_time = branch.height() + 1;
  MutableTransaction bad = good;
  bad.inputs[1].sequence = kNotFinalSequence;
  const MutableTransaction first = Spend({branch.TakeCoin()});
  return TryTransactions(branch, {first, bad}, {first, good}, 2);
}

}  // namespace

std::vector<RuleCase> FinalityCases() {
  const auto case_of = [](std::string name, std::string breaking, std::string twin,
                          std::function<Attempt(Branch&)> build) {
    return RuleCase{Rule::kNotFinal, name, breaking, twin, "bad-txns-nonfinal", build};
  };
  std::vector<RuleCase> all = {
      case_of("LockedUntilThisHeight", "a lock time equal to the height", "one less",
              LockTimes(NextHeight, [](const Branch& branch) { return NextHeight(branch) - 1; })),
      case_of("LockedForever", "a lock time of 499,999,999, the last height", "a lock time of zero",
              LockTimes([](const Branch&) { return kLockTimeThreshold - 1; }, [](const Branch&) { return 0; })),
      case_of("LockedUntilLastSecond", "a lock time of 0xffffffff", "500,000,000, the first second",
              LockTimes([](const Branch&) { return 0xffffffff; }, [](const Branch&) { return kLockTimeThreshold; })),
      case_of("LockedUntilMedian", "a lock time equal to the median time past (BIP113)", "one second less",
              LockTimes([](const Branch& branch) { return branch.median_time_past(); },
                        [](const Branch& branch) { return branch.median_time_past() - 1; })),
      case_of("OneInputNotFinal", "a lock time equal to the height, one of two sequences not final", "both final",
              OneInputOfTwo),
      case_of("CoinbaseNotFinal", "a coinbase with a lock time equal to the height", "one less", CoinbaseIsNotFinal),
  };
  RuleCase before = case_of("LockedUntilOwnTime", "before BIP113: a lock time equal to the block's own",
                            "one second less", AgainstOwnTime(0, -1));
  RuleCase first =
      case_of("LockedAtBip113",
              "a lock time between median and own time at the first height of BIP113 (one below it is part of the "
              "chain)",
              "one below the median", FromBip113On);
  before.params = first.params = LateCsvParams;
  all.push_back(before);
  all.push_back(first);
  return all;
}

}  // namespace headrace::testing
