// The block index between tree and disk: what is remembered of a block beside what the header tree holds, and the
// writing of both as records. Engine thread.
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "engine/chain/header_tree.h"
#include "engine/ports/block_store.h"

namespace headrace {

class BlockRecords {
 public:
  BlockRecords(HeaderTree& tree, BlockStore& store);

  // Fills the tree (genesis alone so far) from the index that was read at start; writes genesis into a new one. A record
  // whose header does not stand on an earlier one is damage.
  absl::Status Load();

  // Bits of BlockStatus, without kBlockInvalid, which the tree knows.
  uint32_t status(HeaderId id) const { return status_[id]; }
  void AddStatus(HeaderId id, uint32_t bits);
  // Puts the block's record, new or changed, into the index.
  absl::Status Put(HeaderId id);

 private:
  HeaderTree& tree_;
  BlockStore& store_;
  std::vector<uint32_t> status_;
};

}  // namespace headrace
