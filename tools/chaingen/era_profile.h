// What a year's blocks looked like, as data: scripts, transactions, blocks, growth of the unspent set. README.md says
// which figures are mainnet's and which are assumptions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/chaingen/lock.h"

namespace headrace::chaingen {

enum class Era : uint8_t { kAll, k2012, k2017, k2024 };

// Outputs that hold data (OP_RETURN) are counted after the kinds of locks.
inline constexpr uint32_t kDataScript = kLockKinds;
inline constexpr uint32_t kScriptKinds = kLockKinds + 1;

// Names of options and reports: p2pkh, p2wpkh, ..., op-return. The first for an index, nothing for an unknown name.
std::string_view NameOfScript(uint32_t script);
std::optional<uint32_t> ScriptNamed(std::string_view name);

// How often outputs of each kind are made, relative to each other.
using ScriptWeights = std::array<uint64_t, kScriptKinds>;

// A share of all outputs that the user asked for, in thousandths of a per cent.
struct ScriptShare {
  uint32_t script = 0;
  uint32_t share = 0;
};
inline constexpr uint32_t kWholeShare = 100'000;
// Every transaction pays somebody, so that no more than half of the outputs can be data.
inline constexpr uint32_t kDataShareMax = 50'000;

// A kind of transaction: how many in a thousand are so, and the ranges of their counts, both ends included.
struct TransactionForm {
  uint16_t per_mille;
  uint16_t inputs_min, inputs_max;
  uint16_t outputs_min, outputs_max;
};

struct EraProfile {
  ScriptWeights scripts;
  std::span<const TransactionForm> forms;  // empty: counts are spread evenly around the shape's means
  uint32_t transactions_per_block;         // usual
  bool fills_blocks;                       // blocks are full; otherwise their transactions are as many as chance brings
  uint32_t block_weight;                   // at most
  uint32_t partly_filled_one_in;           // where blocks are full: one in so many is not; 0 for none
  std::optional<uint32_t> growth;          // of the unspent set, coins a block; nothing: as it comes
  bool low_r_only;                         // wallets grind R
  int32_t version;
  std::array<uint32_t, 4> sequences;  // drawn for each transaction
  uint32_t other_hash_type_one_in;    // signatures that do not sign everything
};

const EraProfile& ProfileOf(Era era);

// The era's weights with the given shares of all outputs fixed; the other kinds divide the rest as they did before. An
// error when that cannot be.
absl::StatusOr<ScriptWeights> WeightsWith(const ScriptWeights& era, std::span<const ScriptShare> shares);

}  // namespace headrace::chaingen
