#include "engine/sync/compact_reconstruction.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "engine/base/check.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {

CompactReconstruction::CompactReconstruction(std::shared_ptr<const CompactBlock> block, const TransactionSource& known)
    : block_(std::move(block)), key_(block_->header, block_->nonce) {
  const uint32_t count = block_->transaction_count();
  places_.resize(count);
  short_ids_.resize(count);
  for (const PrefilledTransaction& transaction : block_->prefilled)
    places_[transaction.index].bytes = transaction.bytes;

  absl::flat_hash_map<uint64_t, uint32_t> place_of;
  place_of.reserve(block_->short_ids.size());
  size_t next = 0;
  for (uint32_t place = 0; place < count; ++place) {
    if (!places_[place].bytes.empty()) continue;
    short_ids_[place] = block_->short_ids[next++];
    is_ambiguous_ |= !place_of.emplace(short_ids_[place], place).second;
  }
  if (is_ambiguous_) return;

  std::vector<uint8_t> is_contested(count);
  known.ForEachTransaction([&](const Hash256& wtxid, const SharedBytes& bytes) {
    const auto found = place_of.find(key_.ShortId(wtxid));
    if (found == place_of.end()) return;
    SharedBytes& place = places_[found->second];
    is_contested[found->second] |= place.bytes.empty() ? 0 : 1;
    place = bytes;
  });
  for (uint32_t place = 0; place < count; ++place) {
    if (is_contested[place] != 0) places_[place] = {};
    if (places_[place].bytes.empty()) missing_.push_back(place);
  }
}

bool CompactReconstruction::Fill(std::shared_ptr<const BlockTransactions> answer) {
  if (answer->transactions.size() != missing_.size()) return false;
  TransactionColumns columns;
  for (size_t i = 0; i < missing_.size(); ++i) {
    if (DecodeTransaction(answer->transactions[i], WitnessEncoding::kAllowed, columns) != DecodeError::kNone)
      return false;
    HashTransactions(columns);
    if (key_.ShortId(columns.wtxid[0]) != short_ids_[missing_[i]]) return false;
  }
  answer_ = std::move(answer);
  for (size_t i = 0; i < missing_.size(); ++i) places_[missing_[i]].bytes = answer_->transactions[i];
  missing_.clear();
  return true;
}

SlabRef CompactReconstruction::Assemble() const {
  HR_CHECK(missing_.empty() && !is_ambiguous_);
  std::vector<uint8_t> start;
  ByteWriter writer(start);
  writer.Bytes(block_->header.Serialize());
  writer.CompactSize(places_.size());
  size_t size = start.size();
  for (const SharedBytes& place : places_) size += place.bytes.size();
  auto slab = std::make_shared<Slab>(size);
  uint8_t* at = std::copy(start.begin(), start.end(), slab->writable().data());
  for (const SharedBytes& place : places_) at = std::copy(place.bytes.begin(), place.bytes.end(), at);
  return slab;
}

}  // namespace headrace
