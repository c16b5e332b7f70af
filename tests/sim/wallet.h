// The keys of everybody in a simulated world, and transactions signed with them: trivial scripts that anybody can
// spend, and every template with real signatures, legacy, witness version 0 and taproot.
//
// One wallet serves all: a spender may spend any coin of the chain that it builds on. One thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/primitives/mutable_transaction.h"
#include "tests/sim/sim_entropy.h"
#include "tools/chaingen/key_ring.h"

namespace headrace::sim {

inline const std::vector<uint8_t> kAnyoneScript = {0x51};

struct OwnedOutput {
  OutPoint outpoint;
  TransactionOutput output;
};

class Wallet {
 public:
  Wallet();

  // A script to pay to: often one without a signature, which costs nothing.
  std::vector<uint8_t> DrawScript(SimEntropy& entropy) const;
  bool CanSpend(const std::vector<uint8_t>& script) const { return script == kAnyoneScript || locks_.contains(script); }
  bool NeedsSignature(const std::vector<uint8_t>& script) const { return locks_.contains(script); }

  // Spends `inputs` to `outputs_count` outputs, `fee` left over. Signed; the sum of the inputs must cover the fee.
  MutableTransaction Spend(const std::vector<OwnedOutput>& inputs, uint32_t outputs_count, Amount fee,
                           SimEntropy& entropy) const;
  void Sign(const std::vector<OwnedOutput>& inputs, MutableTransaction& transaction) const;

 private:
  chaingen::KeyRing keys_;
  std::vector<std::vector<uint8_t>> scripts_;
  std::map<std::vector<uint8_t>, chaingen::Lock> locks_;
};

}  // namespace headrace::sim
