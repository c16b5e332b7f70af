// Who may spend an output: the kind of its script and the key that it is made for.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace::chaingen {

enum class LockKind : uint8_t {
  kP2pk,
  kP2pkUncompressed,
  kP2pkh,
  kP2pkhUncompressed,
  kMultisig1of2,
  kMultisig2of3,
  kP2shMultisig2of3,
  kP2shP2wpkh,
  kP2shP2wsh,
  kP2wpkh,
  kP2wshMultisig2of3,
  kP2trKey,
  kP2trScript,
  kCheckLockTime,
  kCheckSequence,
  kCount,
};
inline constexpr uint32_t kLockKinds = static_cast<uint32_t>(LockKind::kCount);

struct Lock {
  LockKind kind = LockKind::kP2pkh;
  uint32_t key = 0;
};

// What a kind costs at most: BIP141 weight of an input that spends it, signature operation cost of the output and of
// the input; and the exact length of its script. Blocks are closed before either limit by these.
struct LockCost {
  uint32_t input_weight;
  uint32_t output_sigops;
  uint32_t input_sigops;
  uint32_t output_bytes;
};

constexpr LockCost CostOf(LockKind kind) {
  // A bare CHECKMULTISIG counts as twenty keys, and bare scripts count four times.
  switch (kind) {
    case LockKind::kP2pk:
      return {4 * (41 + 74), 4, 0, 35};
    case LockKind::kP2pkUncompressed:
      return {4 * (41 + 74), 4, 0, 67};
    case LockKind::kP2pkh:
      return {4 * (41 + 108), 4, 0, 25};
    case LockKind::kP2pkhUncompressed:
      return {4 * (41 + 140), 4, 0, 25};
    case LockKind::kMultisig1of2:
      return {4 * (41 + 75), 80, 0, 71};
    case LockKind::kMultisig2of3:
      return {4 * (41 + 148), 80, 0, 105};
    case LockKind::kP2shMultisig2of3:
      return {4 * (43 + 255), 0, 12, 23};
    case LockKind::kP2shP2wpkh:
      return {4 * (41 + 23) + 108, 0, 1, 23};
    case LockKind::kP2shP2wsh:
      return {4 * (41 + 35) + 111, 0, 1, 23};
    case LockKind::kP2wpkh:
      return {4 * 41 + 108, 0, 1, 22};
    case LockKind::kP2wshMultisig2of3:
      return {4 * 41 + 256, 0, 3, 34};
    case LockKind::kP2trKey:
      return {4 * 41 + 67, 0, 0, 34};
    case LockKind::kP2trScript:
      return {4 * 41 + 172, 0, 0, 34};
    case LockKind::kCheckLockTime:
    case LockKind::kCheckSequence:
      return {4 * 41 + 120, 0, 1, 34};
    case LockKind::kCount:
      break;
  }
  return {0, 0, 0, 0};
}

// How many signatures a spend takes.
constexpr uint32_t SignaturesOf(LockKind kind) {
  switch (kind) {
    case LockKind::kMultisig2of3:
    case LockKind::kP2shMultisig2of3:
    case LockKind::kP2wshMultisig2of3:
      return 2;
    default:
      return 1;
  }
}

}  // namespace headrace::chaingen
