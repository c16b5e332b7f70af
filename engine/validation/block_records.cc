#include "engine/validation/block_records.h"

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace headrace {

BlockRecords::BlockRecords(HeaderTree& tree, BlockStore& store) : tree_(tree), store_(store), status_(1, 0) {}

absl::Status BlockRecords::Load() {
  const std::span<const BlockRecord> records = store_.records();
  if (records.empty()) return Put(kGenesisId);
  if (records[0].header != tree_.header(kGenesisId)) {
    return absl::FailedPreconditionError(
        "The block index belongs to another network: its first block is not this network's genesis. Choose the right -chain or another -datadir.");
  }
  status_.resize(records.size());
  for (HeaderId id = 0; id < records.size(); ++id) {
    const BlockRecord& record = records[id];
    if (id != kGenesisId) {
      const Hash256 hash = record.header.Hash();
      const HeaderId parent = tree_.Find(record.header.previous);
      if (parent == kNoHeader || tree_.Find(hash) != kNoHeader) {
        return absl::DataLossError(absl::StrCat("Record ", id, " of the block index in ", store_.directory(), " does not stand on an earlier one: the index is damaged. Start once with -reindex."));
      }
      tree_.Add(record.header, hash, parent);
    }
    status_[id] = record.status & ~uint32_t{kBlockInvalid};
    if (record.data.exists()) tree_.SetData(id, record.data, record.transaction_count);
    if (record.undo.exists()) tree_.SetUndo(id, record.undo);
    if ((record.status & kBlockInvalid) != 0 && id != kGenesisId) tree_.MarkInvalid(id);
  }
  return absl::OkStatus();
}

void BlockRecords::AddStatus(HeaderId id, uint32_t bits) {
  if (status_.size() <= id) status_.resize(id + 1, 0);
  status_[id] |= bits;
}

absl::Status BlockRecords::Put(HeaderId id) {
  if (status_.size() <= id) status_.resize(id + 1, 0);
  BlockRecord record;
  record.header = tree_.header(id);
  record.data = tree_.data(id);
  record.undo = tree_.undo(id);
  record.status = status_[id] | (tree_.is_marked_invalid(id) ? uint32_t{kBlockInvalid} : 0);
  record.transaction_count = tree_.transaction_count(id);
  return store_.PutRecord(id, record);
}

}  // namespace headrace
