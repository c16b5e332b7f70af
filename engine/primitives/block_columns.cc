#include "engine/primitives/block_columns.h"

namespace headrace {

uint32_t BlockColumns::stripped_size() const {
  // What stands before the first transaction is the same in both encodings: header and transaction count.
  uint32_t size = begin.empty() ? total_size() : begin.front();
  for (uint32_t t = 0; t < transaction_count(); ++t) size += transaction(t).stripped_size();
  return size;
}

}  // namespace headrace
