#include "tools/chaingen/era_profile.h"

#include <algorithm>
#include <numeric>

#include "engine/base/check.h"

namespace headrace::chaingen {
namespace {

constexpr std::array<std::string_view, kScriptKinds> kNames = {"p2pk",
                                                               "p2pk-uncompressed",
                                                               "p2pkh",
                                                               "p2pkh-uncompressed",
                                                               "multisig-1of2",
                                                               "multisig-2of3",
                                                               "p2sh-multisig",
                                                               "p2sh-p2wpkh",
                                                               "p2sh-p2wsh",
                                                               "p2wpkh",
                                                               "p2wsh-multisig",
                                                               "p2tr-key",
                                                               "p2tr-script",
                                                               "cltv",
                                                               "csv",
                                                               "op-return"};

constexpr uint32_t kFinal = 0xffffffff;
constexpr uint32_t kNotFinal = 0xfffffffe;
constexpr uint32_t kReplaceable = 0xfffffffd;  // BIP125
// Below the limit of 4,000,000 by what estimates leave out.
constexpr uint32_t kFullWeight = 3'998'000;

// Payments, some from several coins; collections of small coins; pool payouts.
constexpr TransactionForm k2012Forms[] = {
    {60, 1, 1, 1, 1},  {640, 1, 1, 2, 2}, {120, 2, 2, 2, 2},  {90, 3, 6, 1, 2},
    {18, 8, 40, 1, 1}, {50, 1, 1, 3, 10}, {3, 1, 2, 15, 100}, {19, 2, 4, 2, 2},
};
// Exchanges send in batches and consolidate.
constexpr TransactionForm k2017Forms[] = {
    {90, 1, 1, 1, 1},   {565, 1, 1, 2, 2}, {110, 2, 2, 2, 2}, {100, 3, 5, 1, 2},  {30, 6, 30, 1, 1},
    {2, 60, 120, 1, 1}, {70, 1, 1, 3, 8},  {8, 1, 3, 10, 60}, {1, 1, 4, 80, 250}, {24, 2, 4, 3, 5},
};
// The same, with more transfers to oneself.
constexpr TransactionForm k2024Forms[] = {
    {180, 1, 1, 1, 1},  {482, 1, 1, 2, 2}, {90, 2, 2, 2, 2},  {120, 2, 4, 1, 2},  {33, 5, 25, 1, 1},
    {3, 50, 150, 1, 1}, {60, 1, 1, 3, 6},  {24, 1, 3, 8, 40}, {2, 1, 4, 60, 200}, {6, 3, 5, 3, 5},
};

// Scripts in LockKind's order: P2PK (2), P2PKH (2), bare multisig (2), P2SH (multisig, P2WPKH, P2WSH), P2WPKH, P2WSH,
// P2TR (2), lock time, sequence, data.
constexpr EraProfile kAllProfile = {
    .scripts = {50, 50, 100, 50, 20, 20, 80, 80, 80, 100, 80, 100, 80, 40, 40, 30},
    .forms = {},
    .transactions_per_block = 100,
    .fills_blocks = false,
    .block_weight = kFullWeight,
    .partly_filled_one_in = 0,
    .growth = std::nullopt,
    .low_r_only = false,
    .version = 2,
    .sequences = {kNotFinal, kNotFinal, kNotFinal, kNotFinal},
    .other_hash_type_one_in = 50,
};
constexpr EraProfile k2012Profile = {
    .scripts = {80, 220, 4000, 5550, 20, 10, 120, 0, 0, 0, 0, 0, 0, 0, 0, 0},
    .forms = k2012Forms,
    .transactions_per_block = 155,
    .fills_blocks = false,
    .block_weight = 2'000'000,
    .partly_filled_one_in = 0,
    .growth = 50,
    .low_r_only = false,
    .version = 1,
    .sequences = {kFinal, kFinal, kFinal, kFinal},
    .other_hash_type_one_in = 1000,
};
constexpr EraProfile k2017Profile = {
    .scripts = {5, 5, 7700, 320, 20, 10, 1250, 400, 50, 50, 20, 0, 0, 5, 5, 160},
    .forms = k2017Forms,
    .transactions_per_block = 1860,
    .fills_blocks = true,
    .block_weight = kFullWeight,
    .partly_filled_one_in = 12,
    .growth = 320,
    .low_r_only = false,
    .version = 1,
    .sequences = {kFinal, kFinal, kNotFinal, kNotFinal},
    .other_hash_type_one_in = 1000,
};
constexpr EraProfile k2024Profile = {
    .scripts = {0, 0, 900, 10, 10, 5, 250, 500, 100, 4200, 300, 2400, 400, 10, 15, 900},
    .forms = k2024Forms,
    .transactions_per_block = 3600,
    .fills_blocks = true,
    .block_weight = kFullWeight,
    .partly_filled_one_in = 60,
    .growth = 620,
    .low_r_only = true,
    .version = 2,
    .sequences = {kFinal, kNotFinal, kReplaceable, kReplaceable},
    .other_hash_type_one_in = 1000,
};

constexpr uint32_t SumOf(std::span<const TransactionForm> forms) {
  uint32_t sum = 0;
  for (const TransactionForm& form : forms) sum += form.per_mille;
  return sum;
}
static_assert(SumOf(k2012Forms) == 1000 && SumOf(k2017Forms) == 1000 && SumOf(k2024Forms) == 1000);

}  // namespace

std::string_view NameOfScript(uint32_t script) { return kNames.at(script); }

std::optional<uint32_t> ScriptNamed(std::string_view name) {
  for (uint32_t script = 0; script < kScriptKinds; ++script) {
    if (kNames[script] == name) return script;
  }
  return std::nullopt;
}

const EraProfile& ProfileOf(Era era) {
  switch (era) {
    case Era::k2012:
      return k2012Profile;
    case Era::k2017:
      return k2017Profile;
    case Era::k2024:
      return k2024Profile;
    case Era::kAll:
      break;
  }
  return kAllProfile;
}

absl::StatusOr<ScriptWeights> WeightsWith(const ScriptWeights& era, std::span<const ScriptShare> shares) {
  std::array<bool, kScriptKinds> is_given{};
  uint64_t given = 0;
  for (const ScriptShare& share : shares) {
    if (is_given[share.script]) return absl::InvalidArgumentError("a script is named twice");
    is_given[share.script] = true;
    given += share.share;
    if (share.script == kDataScript && share.share > kDataShareMax) {
      return absl::InvalidArgumentError(
          "op-return cannot have more than 50 per cent, since every transaction pays somebody");
    }
  }
  if (given > kWholeShare) return absl::InvalidArgumentError("the shares are more than 100 per cent");
  uint64_t rest = 0;
  for (uint32_t script = 0; script < kScriptKinds; ++script) rest += is_given[script] ? 0 : era[script];
  if (rest == 0 && given != kWholeShare) {
    return absl::InvalidArgumentError("every script is named, but the shares are not 100 per cent");
  }
  // Fine enough that rounding does not show.
  constexpr uint64_t kScale = 1000;
  ScriptWeights weights{};
  for (uint32_t script = 0; script < kScriptKinds; ++script) {
    if (!is_given[script]) weights[script] = era[script] * (kWholeShare - given) * kScale / std::max<uint64_t>(rest, 1);
  }
  for (const ScriptShare& share : shares) weights[share.script] = uint64_t{share.share} * kScale;
  if (shares.empty()) weights = era;
  const uint64_t payments = std::accumulate(weights.begin(), weights.begin() + kLockKinds, uint64_t{0});
  if (payments == 0) return absl::InvalidArgumentError("some script that pays somebody needs a share");
  return weights;
}

}  // namespace headrace::chaingen
