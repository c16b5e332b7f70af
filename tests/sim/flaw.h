// What a block may have wrong. One thread; constexpr.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace headrace::sim {

enum class Flaw : uint8_t {
  kNone,
  // Found when the block is connected.
  kCoinbaseValue,
  kMissingInput,
  kDoubleSpend,
  kSpentBefore,
  kBadSignature,
  kPremature,
  kInBelowOut,
  // Found by the block and its headers.
  kNotFinal,
  kCoinbaseHeight,
  kMerkleRoot,
  kWitnessCommitment,
  // Found by the header.
  kTimeTooOld,
  kWrongBits,
  kOldVersion,
  kCount,
};

inline constexpr std::array<std::string_view, static_cast<size_t>(Flaw::kCount)> kFlawNames = {
    "none",          "coinbase value", "missing input", "double spend", "spent before",
    "bad signature", "premature",      "in below out",  "not final",    "coinbase height",
    "merkle root",   "commitment",     "time too old",  "wrong bits",   "old version"};

constexpr std::string_view FlawName(Flaw flaw) { return kFlawNames[static_cast<size_t>(flaw)]; }

}  // namespace headrace::sim
