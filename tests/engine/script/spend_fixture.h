// A transaction and the coins that it spends, as tests make them: built field by field or read from bytes.
#pragma once

#include <string>
#include <vector>

#include "engine/primitives/coin.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/mutable_transaction.h"
#include "engine/script/spend_verifier.h"

namespace headrace::testing {

// Owns bytes, columns and coins; neither copied nor moved, since the columns point into the bytes.
class SpendFixture {
 public:
  // Throws std::runtime_error when the bytes do not decode.
  SpendFixture(Bytes raw, std::vector<TransactionOutput> spent);
  SpendFixture(const SpendFixture&) = delete;
  SpendFixture& operator=(const SpendFixture&) = delete;

  TransactionView transaction() const { return {columns_, 0}; }
  const std::vector<Coin>& coins() const { return coins_; }
  const TransactionMidstates& midstates() const { return midstates_; }
  ScriptError Verify(uint32_t input, ScriptFlags flags) const {
    return VerifySpend(transaction(), input, coins_, flags, midstates_);
  }

 private:
  Bytes raw_;
  std::vector<TransactionOutput> spent_;
  TransactionColumns columns_;
  std::vector<Coin> coins_;
  TransactionMidstates midstates_;
};

// Hex that must be right; throws otherwise.
Bytes FromHex(const std::string& hex);

// The items of a serialised witness stack; none for an empty span.
std::vector<Bytes> UnpackWitness(ByteSpan serialized);

}  // namespace headrace::testing
