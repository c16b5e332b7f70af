// One compact block on its way to become a block: which of its transactions are here, which are missing. (BIP152)
//
// Engine thread; a value that nobody else sees. Costs a SipHash for every transaction that is known when it begins, and
// holds what it has found by reference until it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/transaction_source.h"
#include "engine/primitives/compact_block.h"

namespace headrace {

class CompactReconstruction {
 public:
  // Takes what the block brings itself and what `known` has. A short id that fits two known transactions is taken for
  // none of them.
  CompactReconstruction(std::shared_ptr<const CompactBlock> block, const TransactionSource& known);

  // Two places of the block have the same short id: which transaction belongs where cannot be told.
  bool is_ambiguous() const { return is_ambiguous_; }
  // The places that are still empty, ascending.
  const std::vector<uint32_t>& missing() const { return missing_; }
  const BlockHeader& header() const { return block_->header; }

  // Takes the transactions for all missing places. False, and nothing is taken, when they are not as many, or one is
  // not what the block's short id at its place says.
  bool Fill(std::shared_ptr<const BlockTransactions> answer);

  // The block's bytes, when nothing is missing. Whether they are the block that the header names is not known yet.
  SlabRef Assemble() const;

 private:
  const std::shared_ptr<const CompactBlock> block_;
  const ShortIdKey key_;
  std::vector<SharedBytes> places_;  // empty: missing; without an owner: the block's own, or of `answer_`
  std::vector<uint64_t> short_ids_;  // by place; nothing for those that the block brought
  std::vector<uint32_t> missing_;
  std::shared_ptr<const BlockTransactions> answer_;
  bool is_ambiguous_ = false;
};

}  // namespace headrace
