// Holds columns against the plain form, field by field.
#pragma once

#include <gtest/gtest.h>

#include "engine/primitives/block_columns.h"
#include "tests/reference/plain_decoder.h"

namespace headrace::testing {

inline std::vector<uint8_t> BytesOf(ByteSpan span) { return {span.begin(), span.end()}; }

// The items of a serialised stack; short of items where the bytes are no stack.
std::vector<std::vector<uint8_t>> WitnessItems(ByteSpan stack);

// `columns` are decoded and hashed.
void ExpectSameTransaction(TransactionView view, const reference::PlainTransaction& plain);
void ExpectSameBlock(const BlockColumns& columns, const reference::PlainBlock& plain);

}  // namespace headrace::testing
