// The bits that follow from a header's ancestors, on networks with periods of four blocks. Every expected value is
// written down here, worked out by hand: the target limit is 0x03ffff * 2^224, a period should take 2,400 s, and is
// measured from its first block to its last.
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kLimit = 0x1f03ffff;
constexpr uint32_t kQuarter = 0x1f00ffff;  // 0x03ffff / 4

// Easy enough to mine by thousands of hashes, and low enough for four times the target to stay in 256 bits when it is
// multiplied by a period's seconds.
ChainParams ShortPeriods() {
  ChainParams params = ParamsFor(ChainId::kRegtest);
  params.target_spacing_s = 600;
  params.target_timespan_s = 4 * 600;
  params.pow_limit = *Uint256::FromHex("0003ffff00000000000000000000000000000000000000000000000000000000");
  params.genesis.bits = kLimit;
  params.genesis_hash = BlockHeader::Load(GenesisBlock(params).data()).Hash();
  params.retargets = true;
  params.allows_min_difficulty_blocks = false;
  return params;
}

// The main network's rules.
const ChainParams& MainRules() {
  static const ChainParams params = ShortPeriods();
  return params;
}

// Testnet's 20-minute exception.
const ChainParams& TestRules() {
  static const ChainParams params = [] {
    ChainParams test = ShortPeriods();
    test.allows_min_difficulty_blocks = true;
    return test;
  }();
  return params;
}

// Testnet4: the exception, and BIP94.
const ChainParams& Bip94Rules() {
  static const ChainParams params = [] {
    ChainParams test = TestRules();
    test.enforces_bip94 = true;
    return test;
  }();
  return params;
}

struct HeaderTry {
  uint32_t after_parent_s;
  uint32_t bits;
};

// Blocks with these distances, then the two that differ.
auto After(std::vector<uint32_t> spacings_s, HeaderTry breaking, HeaderTry twin) {
  return [=](Branch& branch) {
    for (const uint32_t spacing_s : spacings_s) branch.Grow(1, spacing_s);
    const auto draft = [&](const HeaderTry& header) {
      Draft next = branch.NextDraftAt(branch.tip_header().time_s + header.after_parent_s);
      next.header.bits = header.bits;
      return next;
    };
    return Try(branch, draft(breaking), draft(twin));
  };
}

// The first period's three distances.
const std::vector<uint32_t> kFastPeriod = {1, 1, 1};

}  // namespace

std::vector<RuleCase> DifficultyCases() {
  const auto on = [](const ChainParams& (*params)(), std::string name, std::string breaking, std::string twin,
                     std::function<Attempt(Branch&)> build) {
    return RuleCase{.rule = Rule::kDifficultyBits,
                    .name = name,
                    .breaking = breaking,
                    .twin = twin,
                    .reject = "bad-diffbits",
                    .build = build,
                    .params = params,
                    .base_height = 0};
  };
  // Three distances make a period of four blocks; the one from the last of them to the next period's first is in
  // neither.
  const std::vector<uint32_t> quarter_then_late = {1, 1, 1, 1, 1201};
  return {
      {.rule = Rule::kDifficultyBits,
       .name = "RegtestHarderBits",
       .breaking = "regtest: harder bits than its own, at a period's first block",
       .twin = "bits 0x207fffff: regtest never retargets, however fast blocks come",
       .reject = "bad-diffbits",
       .build = After({1, 1, 1}, {1, 0x207ffffe}, {1, 0x207fffff}),
       .base_height = 140},
      on(MainRules, "RetargetLeftOut", "the first block of a period with the bits of the last period, which took 900 s",
         "0x1f017fff: 900/2400 of the limit", After({300, 300, 300}, {300, kLimit}, {300, 0x1f017fff})),
      on(MainRules, "RetargetOffByOne", "as if the period had taken the 1,200 s of four distances",
         "0x1f017fff: three distances are measured", After({300, 300, 300}, {300, 0x1f01ffff}, {300, 0x1f017fff})),
      on(MainRules, "RetargetRoundedUp", "the next higher target", "0x1f017fff: digits beyond the bits are cut off",
         After({300, 300, 300}, {300, 0x1f018000}, {300, 0x1f017fff})),
      on(MainRules, "RetargetClampedDown", "a period of 3 s, as if it had taken 1,200 s",
         "0x1f00ffff: a quarter, and never less", After(kFastPeriod, {1, 0x1f01ffff}, {1, kQuarter})),
      on(MainRules, "RetargetClampedUp", "a period of 30,000 s after one of 3 s, back to the limit",
         "0x1f03fffc: four times 0x00ffff, and never more",
         After({1, 1, 1, 1, 10'000, 10'000, 10'000}, {600, kLimit}, {600, 0x1f03fffc})),
      on(MainRules, "RetargetAtTheLimit", "a slow period at the limit, as if it had been a fast one",
         "0x1f03ffff: never easier than the limit", After({10'000, 10'000, 10'000}, {600, kQuarter}, {600, kLimit})),
      on(MainRules, "BitsChangeInsidePeriod", "easier bits inside a period, 20 minutes late", "the parent's bits",
         After({1, 1, 1, 1}, {1201, kLimit}, {1201, kQuarter})),
      on(TestRules, "MinimumDifficultyTooEarly", "testnet: the easiest bits 1,200 s after the parent",
         "1,201 s after it", After({1, 1, 1, 1}, {1200, kLimit}, {1201, kLimit})),
      on(TestRules, "OrdinaryDifficultyTooLate", "testnet: ordinary bits 1,201 s after the parent", "1,200 s after it",
         After({1, 1, 1, 1}, {1201, kQuarter}, {1200, kQuarter})),
      on(TestRules, "MinimumDifficultyGoesOn", "testnet: the easiest bits soon after a block that used the exception",
         "the bits of the last block that did not", After(quarter_then_late, {1, kLimit}, {1, kQuarter})),
      on(TestRules, "NoExceptionAtPeriodStart", "testnet: the easiest bits for a period's first block, 20 minutes late",
         "0x1f00ffff: the retarget", After(kFastPeriod, {1201, kLimit}, {1201, kQuarter})),
      // The second period: blocks 4 (a quarter), 5 and 6, and 7 by the exception. It takes 1 + 1 + 1,201 = 1,203 s.
      on(TestRules, "RetargetFromException", "testnet: a retarget from the bits of the period's first block",
         "0x1f020147: 1203/2400 of the last block's, which used the exception",
         After({1, 1, 1, 1, 1, 1, 1201}, {1, 0x1f008051}, {1, 0x1f020147})),
      on(Bip94Rules, "RetargetFromFirst",
         "testnet4: a retarget from the bits of the last block, which used the exception",
         "0x1f008051: 1203/2400 of the first block's (BIP94)",
         After({1, 1, 1, 1, 1, 1, 1201}, {1, 0x1f020147}, {1, 0x1f008051})),
  };
}

}  // namespace headrace::testing
