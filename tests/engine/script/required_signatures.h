// Where in a spend the signatures stand without which it fails. Reads the common forms of scripts from their templates;
// for tests that change signatures in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/primitives/transaction_view.h"

namespace headrace::testing {

// The two numbers of a signature as ranges of the raw bytes under the transaction's columns.
struct SignaturePlace {
  bool is_schnorr = false;
  uint32_t r_offset = 0;
  uint32_t r_size = 0;
  uint32_t s_offset = 0;
  uint32_t s_size = 0;
};

struct RequiredSignatures {
  // What is spent and how: "p2sh multisig", "p2wpkh", "taproot key", "other".
  std::string form;
  // How many signatures the script needs, when it is of a common form: each one given is then required.
  std::optional<size_t> count_required;
  std::vector<SignaturePlace> places;
  // Items that stand where a signature must, in an encoding whose numbers are not to be found by the shape of DER.
  size_t malformed = 0;
};

RequiredSignatures FindRequiredSignatures(TransactionView transaction, uint32_t input, ByteSpan spent_script);

}  // namespace headrace::testing
