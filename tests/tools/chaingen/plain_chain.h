// Plain helpers for tests of generated chains: framed files, conversion from the plain decoder's form, an unspent set
// as a map, and signature checks by template.
#pragma once

#include <map>
#include <vector>

#include "tests/reference/plain_decoder.h"
#include "tools/chaingen/set_digest.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::testing {

struct PlainCoin {
  uint32_t height = 0;
  bool is_coinbase = false;
  Amount amount = 0;
  std::vector<uint8_t> script;
};
using PlainCoins = std::map<OutPoint, PlainCoin>;

MutableTransaction FromPlain(const reference::PlainTransaction& plain);

// The raw blocks of a framed file.
std::vector<ByteSpan> FramedBlocks(ByteSpan file);

chaingen::SetDigest DigestOf(const PlainCoins& coins, uint32_t threads);

// What a template check found of an input.
enum class TemplateCheck : uint8_t { kValid, kInvalid, kUnknown };

// Recognises P2PK, P2PKH, bare and P2SH multisig, P2WPKH and P2WSH (bare or in P2SH), P2TR by key path and by a single
// signature check, and verifies all signatures. `verified` counts them. The rules of scripts beyond these templates are
// not known here.
TemplateCheck CheckInput(const MutableTransaction& transaction, uint32_t input,
                         const std::vector<TransactionOutput>& spent, uint64_t& verified);

}  // namespace headrace::testing
