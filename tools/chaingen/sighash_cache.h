// The signature hashes of one transaction, with what its inputs share hashed once: signing a transaction of n inputs
// takes linear time under BIP143 and BIP341, where the plain hashes of sighash.h, its twin, take quadratic time. Before
// segregated witness every input still hashes the whole transaction, but no copy of it is made.
//
// Only the types that sign everything are fast (SIGHASH_ALL and, in taproot, SIGHASH_DEFAULT); the others are rare and
// are left to the plain hashes. One thread at a time; the transaction must outlive it and keep all but scripts and
// witnesses.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/chaingen/sighash.h"

namespace headrace::chaingen {

class SighashCache {
 public:
  // `spent` as in sighash.h. Nothing is hashed before it is asked for.
  SighashCache(const MutableTransaction& transaction, const std::vector<TransactionOutput>& spent)
      : transaction_(transaction), spent_(spent) {}

  // `script_code` without separators.
  Digest256 Legacy(uint32_t input, ByteSpan script_code, uint8_t hash_type);
  Digest256 WitnessV0(uint32_t input, ByteSpan script_code, uint8_t hash_type);
  // The hash type must be one that BIP341 allows here.
  Digest256 Taproot(uint32_t input, uint8_t hash_type, const std::optional<TapLeafContext>& leaf);

 private:
  void HashParts();
  void PrepareTaproot();

  const MutableTransaction& transaction_;
  const std::vector<TransactionOutput>& spent_;
  // Single SHA-256 (BIP341); BIP143 takes the same hashes twice.
  struct Parts {
    Digest256 prevouts;
    Digest256 sequences;
    Digest256 outputs;
    Digest256 prevouts_twice;
    Digest256 sequences_twice;
    Digest256 outputs_twice;
  };
  std::optional<Parts> parts_;
  // Everything of BIP341's message before the spend type.
  std::optional<Sha256Hasher> taproot_;
  // Outputs as they are serialised, count included.
  Bytes outputs_;
  Bytes scratch_;
};

}  // namespace headrace::chaingen
