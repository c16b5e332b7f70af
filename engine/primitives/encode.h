// Columns back to bytes.
#pragma once

#include <memory>
#include <vector>

#include "engine/base/slab.h"
#include "engine/primitives/block_columns.h"

namespace headrace {

// The encoding without witnesses (for peers that ask without MSG_WITNESS_FLAG).
SlabRef EncodeBlockStripped(const BlockColumns& columns);
void AppendTransactionStripped(TransactionView transaction, std::vector<uint8_t>& out);

}  // namespace headrace
