// Relative lock times (BIP68): by height, by median time past to the second, and what is exempt.
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kDisabled = 1u << 31;
constexpr uint32_t kByTime = 1u << 22;

MutableTransaction With(const HeldCoin& coin, int32_t version, uint32_t sequence) {
  MutableTransaction transaction = Spend({coin});
  transaction.version = version;
  transaction.inputs[0].sequence = sequence;
  return transaction;
}

// A coin that the tip has made; spent in the next block it has one block of age.
auto OfFreshCoin(int32_t breaking_version, uint32_t breaking, int32_t twin_version, uint32_t twin) {
  return [=](Branch& branch) {
    const HeldCoin coin = branch.Fund({{kCoin, kTrueScript}})[0];
    return TryTransactions(branch, {With(coin, breaking_version, breaking)}, {With(coin, twin_version, twin)});
  };
}

auto OfSeveral(uint32_t age_blocks, uint32_t breaking, uint32_t twin) {
  return [=](Branch& branch) {
    const HeldCoin coin = branch.Fund({{kCoin, kTrueScript}})[0];
    branch.Grow(age_blocks - 1);
    return TryTransactions(branch, {With(coin, 2, breaking)}, {With(coin, 2, twin)});
  };
}

// Two coins whose times are a second apart: those of the medians below their blocks. When 512 seconds and a bit have
// passed since the first and not since the second, one unit has passed for one of them alone.
Attempt ToTheSecond(Branch& branch, int64_t units) {
  branch.Grow(12, 1);  // from here on the median moves by a second a block
  const auto fund = [&] {
    MutableTransaction payment = Spend({branch.TakeCoin()});
    Draft draft = branch.NextDraftAt(branch.tip_header().time_s + 1);
    draft.transactions.push_back(payment);
    const int64_t coin_time_s = branch.median_time_past();
    branch.Connect(branch.Mine(std::move(draft)));
    return std::pair(OutputOf(payment), coin_time_s);
  };
  const auto [earlier, earlier_time_s] = fund();
  const auto [later, later_time_s] = fund();
  HR_CHECK(later_time_s == earlier_time_s + 1);
  // Six blocks at the exact time make it the median.
  const int64_t wanted_s = earlier_time_s + units * 512;
  while (branch.median_time_past() != wanted_s)
    branch.Connect(branch.Mine(branch.NextDraftAt(static_cast<uint32_t>(wanted_s))));
  const uint32_t sequence = kByTime | static_cast<uint32_t>(units);
  return TryTransactions(branch, {With(later, 2, sequence)}, {With(earlier, 2, sequence)});
}

Attempt SecondInputOfSecondTransaction(Branch& branch) {
  const std::vector<HeldCoin> coins = branch.Fund({{kCoin, kTrueScript}, {kCoin, kTrueScript}, {kCoin, kTrueScript}});
  MutableTransaction good = Spend({coins[0], coins[1]});
  MutableTransaction bad = good;
  bad.inputs[1].sequence = 2;
  const MutableTransaction first = Spend({coins[2]});
  return TryTransactions(branch, {first, bad}, {first, good}, 2);
}

// A coin of the same block has no age at all.
Attempt InTheSameBlock(Branch& branch, uint32_t breaking, uint32_t twin) {
  const MutableTransaction first = Spend({branch.TakeCoin()});
  return TryTransactions(branch, {first, With(OutputOf(first), 2, breaking)}, {first, With(OutputOf(first), 2, twin)},
                         2);
}

const ChainParams& LateCsvParams() {
  static const ChainParams params = [] {
    ChainParams late = ParamsFor(ChainId::kRegtest);
    late.csv_height = 114;
    return late;
  }();
  return params;
}

Attempt FromCsvOn(Branch& branch) {
  const std::vector<HeldCoin> coins = branch.Fund({{kCoin, kTrueScript}, {kCoin, kTrueScript}});
  branch.Grow(1);
  branch.Add({With(coins[0], 2, 9)});
  return TryTransactions(branch, {With(coins[1], 2, 9)}, {With(coins[1], 2, 3)});
}

}  // namespace

std::vector<RuleCase> SequenceLockCases() {
  const auto case_of = [](std::string name, std::string breaking, std::string twin,
                          std::function<Attempt(Branch&)> build) {
    return RuleCase{Rule::kSequenceLocked, name, breaking, twin, "bad-txns-nonfinal", build};
  };
  const auto at_time = [](int64_t units) { return [units](Branch& branch) { return ToTheSecond(branch, units); }; };
  std::vector<RuleCase> all = {
      case_of("TwoBlocksAfterOne", "a coin of one block's age locked for two", "for one", OfFreshCoin(2, 2, 2, 1)),
      case_of("SixBlocksAfterFive", "a coin of five blocks' age locked for six", "for five", OfSeveral(5, 6, 5)),
      case_of("MostBlocks", "a lock of 65,535 blocks", "of 65,536: bits above the 16 do not count",
              OfFreshCoin(2, 0xffff, 2, 0x10000)),
      case_of("VersionOneExempt", "a lock of two blocks in version 2", "in version 1", OfFreshCoin(2, 2, 1, 2)),
      case_of("VersionMinusOne", "a lock of two blocks in version 0xffffffff, which is high", "in version 0",
              OfFreshCoin(-1, 2, 0, 2)),
      case_of("DisabledBitExempt", "a lock of two blocks", "with the bit that disables it",
              OfFreshCoin(2, 2, 2, kDisabled | 2)),
      case_of("DisabledTimeExempt", "a lock of 1,024 s, 600 s after the coin", "with the bit that disables it",
              OfFreshCoin(2, kByTime | 2, 2, kDisabled | kByTime | 2)),
      case_of("UnitOfTime", "a lock of 512 s, 511 s after the coin", "512 s after the coin", at_time(1)),
      case_of("ThreeUnitsOfTime", "a lock of 1,536 s, 1,535 s after the coin", "1,536 s after the coin", at_time(3)),
      case_of("SecondInputLocked", "the second input of the second payment locked for two blocks", "not locked",
              SecondInputOfSecondTransaction),
      case_of("SameBlockByHeight", "a coin of the same block locked for one", "for none",
              [](Branch& branch) { return InTheSameBlock(branch, 1, 0); }),
      case_of("SameBlockByTime", "a coin of the same block locked for 512 s", "for 0 s",
              [](Branch& branch) { return InTheSameBlock(branch, kByTime | 1, kByTime); }),
  };
  RuleCase first =
      case_of("LockedAtCsv", "a lock of nine blocks at the first height of BIP68 (one below it is part of the chain)",
              "of the coin's three", FromCsvOn);
  first.params = LateCsvParams;
  all.push_back(first);
  return all;
}

}  // namespace headrace::testing
