// Digests of an unspent set as the field's gettxoutsetinfo names them, computed plainly over all of it: what a node
// that has synced the chain must report.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/crypto/muhash.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "engine/primitives/outpoint.h"

namespace headrace::chaingen {

// A view: `script` must outlive it.
struct UnspentOutput {
  OutPoint outpoint;
  uint32_t height = 0;
  bool is_coinbase = false;
  Amount amount = 0;
  ByteSpan script;
};

struct SetDigest {
  uint64_t txouts = 0;
  Amount total_amount = 0;
  // Double SHA-256 of all coins in order of txid (memory order) and index.
  Hash256 hash_serialized_3;
  Hash256 muhash;
};

// Digests a set that is given in parts, each of coins whose txids are above those of the parts before.
class SetDigester {
 public:
  explicit SetDigester(uint32_t threads) : threads_(threads) {}

  // Sorts the part.
  void Add(std::vector<UnspentOutput>& part);
  SetDigest Finish();

 private:
  const uint32_t threads_;
  SetDigest digest_;
  Sha256Hasher hasher_;
  MuHash muhash_;
};

SetDigest DigestSet(std::vector<UnspentOutput> coins, uint32_t threads);

}  // namespace headrace::chaingen
