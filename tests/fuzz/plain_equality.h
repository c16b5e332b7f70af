// Holds columns against the plain form of the reference decoder, field by field; a difference stops the program.
#pragma once

#include <algorithm>

#include "engine/primitives/transaction_view.h"
#include "tests/reference/plain_decoder.h"

namespace headrace::fuzz {

inline bool IsSame(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// The items of a serialised stack; it was decoded, so it is well formed.
std::vector<Bytes> WitnessItems(ByteSpan stack);

// The view's columns are decoded and hashed.
void RequireSameTransaction(TransactionView view, const reference::PlainTransaction& plain);

}  // namespace headrace::fuzz
