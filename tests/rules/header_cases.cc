// Headers on their own and among their ancestors: proof of work, times, versions. Difficulty has a file of its own.
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr int64_t kTwoHours_s = 7200;

// Blocks of ten minutes; the header of the next one is changed.
template <typename Change, typename Keep>
auto Headers(Change change, Keep keep) {
  return [=](Branch& branch) {
    Draft breaking = branch.NextDraft(), twin = branch.NextDraft();
    change(breaking.header, branch);
    keep(twin.header, branch);
    return Try(branch, std::move(breaking), std::move(twin));
  };
}

auto Bits(uint32_t bits) {
  return Headers([bits](BlockHeader& header, Branch&) { header.bits = bits; }, [](BlockHeader&, Branch&) {});
}

auto TimeAgainstMedian(int64_t breaking_offset_s, int64_t twin_offset_s) {
  const auto set = [](int64_t offset_s) {
    return [=](BlockHeader& header, Branch& branch) {
      header.time_s = static_cast<uint32_t>(branch.median_time_past() + offset_s);
    };
  };
  return Headers(set(breaking_offset_s), set(twin_offset_s));
}

Attempt HashAboveTarget(Branch& branch) {
  Draft breaking = branch.NextDraft();
  breaking.misses_target = true;
  return Try(branch, std::move(breaking), branch.NextDraft());
}

Attempt SecondTooFarAhead(Branch& branch) {
  Draft breaking = branch.NextDraft(), twin = branch.NextDraft();
  ++breaking.header.time_s;
  Attempt attempt = Try(branch, std::move(breaking), std::move(twin));
  attempt.now_s = attempt.twin.header.time_s - kTwoHours_s;
  return attempt;
}

// The verdict is the clock's: a second later the same block is good.
Attempt GoodASecondLater(Branch& branch) {
  Attempt attempt = Try(branch, branch.NextDraft(), branch.NextDraft());
  attempt.twin_now_s = attempt.twin.header.time_s - kTwoHours_s;
  attempt.now_s = attempt.twin_now_s - 1;
  return attempt;
}

// Regtest whose first rules came one after the other.
constexpr uint32_t kBip34Height = 113, kBip66Height = 115, kBip65Height = 117;

const ChainParams& StagedParams() {
  static const ChainParams params = [] {
    ChainParams staged = ParamsFor(ChainId::kRegtest);
    staged.bip34_height = kBip34Height;
    staged.bip66_height = kBip66Height;
    staged.bip65_height = kBip65Height;
    return staged;
  }();
  return params;
}

// The block below the height has the version that the height retires, and is part of what must connect.
auto VersionAt(uint32_t height, int32_t breaking, int32_t twin) {
  return [=](Branch& branch) {
    branch.Grow(height - 2 - branch.height());
    Draft last = branch.NextDraft();
    last.header.version = breaking;
    branch.Connect(branch.Mine(std::move(last)));
    return Headers([=](BlockHeader& header, Branch&) { header.version = breaking; },
                   [=](BlockHeader& header, Branch&) { header.version = twin; })(branch);
  };
}

// BIP94's rule on regtest's easy target: periods of 144 blocks.
const ChainParams& Bip94Params() {
  static const ChainParams params = [] {
    ChainParams bip94 = ParamsFor(ChainId::kRegtest);
    bip94.enforces_bip94 = true;
    return bip94;
  }();
  return params;
}

auto EarlierThanParent(int64_t breaking_s, int64_t twin_s) {
  const auto set = [](int64_t earlier_s) {
    return [=](BlockHeader& header, Branch& branch) {
      header.time_s = static_cast<uint32_t>(branch.tip_header().time_s - earlier_s);
    };
  };
  return Headers(set(breaking_s), set(twin_s));
}

std::vector<RuleCase> ProofOfWorkCases() {
  const std::string limit = "bits at regtest's limit, 0x207fffff";
  return {
      {Rule::kProofOfWork, "HashAboveTarget", "a hash above the target", "the same header with another nonce",
       "high-hash", HashAboveTarget},
      {Rule::kProofOfWork, "BitsEasierThanLimit", "bits 0x2100ffff, easier than the limit", limit, "high-hash",
       Bits(0x2100ffff)},
      {Rule::kProofOfWork, "BitsNegative", "bits 0x20ffffff, a negative target", limit, "high-hash", Bits(0x20ffffff)},
      {Rule::kProofOfWork, "BitsOverflow", "bits 0xff7fffff, more than 256 bits", limit, "high-hash", Bits(0xff7fffff)},
      {Rule::kProofOfWork, "BitsZero", "bits 0x20000000, a target of zero", limit, "high-hash", Bits(0x20000000)},
  };
}

std::vector<RuleCase> TimeCases() {
  return {
      {Rule::kTimeTooOld, "TimeAtMedian", "time equal to the median of the last 11", "one second later", "time-too-old",
       TimeAgainstMedian(0, 1)},
      {Rule::kTimeTooOld, "TimeBeforeMedian", "time a second before the median",
       "the greatest time that the field holds", "time-too-old",
       [](Branch& branch) {
         Attempt attempt = Headers(
             [](BlockHeader& header, Branch& at) { header.time_s = static_cast<uint32_t>(at.median_time_past() - 1); },
             [](BlockHeader& header, Branch&) { header.time_s = 0xffffffff; })(branch);
         attempt.now_s = 0xffffffff - kTwoHours_s;
         return attempt;
       }},
      {.rule = Rule::kTimeTooOld,
       .name = "TimeAtMedianOfFour",
       .breaking = "time equal to the median of four headers: the third",
       .twin = "one second later, earlier than the parent",
       .reject = "time-too-old",
       .build = TimeAgainstMedian(0, 1),
       .base_height = 3},
      {.rule = Rule::kTimeWarp,
       .name = "PeriodStartsTooEarly",
       .breaking = "the first block of a period 601 s earlier than its parent",
       .twin = "600 s earlier",
       .reject = "time-timewarp-attack",
       .build = EarlierThanParent(601, 600),
       .params = Bip94Params,
       .base_height = 143},
      {.rule = Rule::kTimeWarp,
       .name = "PeriodStartsAtMedian",
       .breaking =
           "the first block of a period a second after the median; the last block of the period before did the same",
       .twin = "the time of its parent",
       .reject = "time-timewarp-attack",
       .build =
           [](Branch& branch) {
             // Not a period's first block: it may be as early as the median allows.
             branch.Connect(branch.Mine(branch.NextDraftAt(static_cast<uint32_t>(branch.tip_header().time_s + 3000))));
             branch.Connect(branch.Mine(branch.NextDraftAt(static_cast<uint32_t>(branch.median_time_past() + 1))));
             branch.Connect(branch.Mine(branch.NextDraftAt(static_cast<uint32_t>(branch.tip_header().time_s + 3000))));
             return Headers([](BlockHeader& header,
                               Branch& at) { header.time_s = static_cast<uint32_t>(at.median_time_past() + 1); },
                            [](BlockHeader& header, Branch& at) { header.time_s = at.tip_header().time_s; })(branch);
           },
       .params = Bip94Params,
       .base_height = 140},
      {Rule::kTimeTooNew, "TimeTooFarAhead", "time 7,201 s ahead of the clock", "7,200 s", "time-too-new",
       SecondTooFarAhead},
      {Rule::kTimeTooNew, "SameBlockASecondLater", "time 7,201 s ahead of the clock", "the same block a second later",
       "time-too-new", GoodASecondLater},
  };
}

std::vector<RuleCase> VersionCases() {
  const auto staged = [](std::string name, uint32_t height, int32_t breaking, int32_t twin, std::string bip,
                         std::string reject) {
    const std::string version = std::to_string(breaking);
    return RuleCase{
        .rule = Rule::kVersionTooOld,
        .name = name,
        .breaking = "version " + version + " at the height of " + bip + " (one below it is part of the chain)",
        .twin = twin > 4 ? "a version of BIP9, 0x20000000" : "version " + std::to_string(twin),
        .reject = reject,
        .build = VersionAt(height, breaking, twin),
        .params = StagedParams};
  };
  return {
      staged("Version1", kBip34Height, 1, 2, "BIP34", "bad-version(0x00000001)"),
      staged("Version0", kBip34Height, 0, 0x20000000, "BIP34", "bad-version(0x00000000)"),
      staged("Version2", kBip66Height, 2, 3, "BIP66", "bad-version(0x00000002)"),
      staged("Version3", kBip65Height, 3, 4, "BIP65", "bad-version(0x00000003)"),
      {Rule::kVersionTooOld, "VersionNegative", "version 0xffffffff, which is -1", "version 0x7fffffff",
       "bad-version(0xffffffff)",
       Headers([](BlockHeader& header, Branch&) { header.version = -1; },
               [](BlockHeader& header, Branch&) { header.version = 0x7fffffff; })},
  };
}

}  // namespace

std::vector<RuleCase> HeaderCases() {
  std::vector<RuleCase> all = ProofOfWorkCases();
  for (std::vector<RuleCase> more : {TimeCases(), VersionCases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace headrace::testing
