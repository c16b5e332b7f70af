#include "storage/coins/living_records.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "storage/coins/record_space.h"
#include "storage/coins/segment_file.h"

namespace headrace {

bool LivingRecords::Mark(uint64_t offset) {
  if (offset < kSegmentHeaderBytes || offset >= segment_->records_end) return false;
  // Relaxed: whoever reads the bits does so after the tasks that set them have been waited for.
  const std::atomic_ref<uint64_t> word(words_[offset / kRecordAlignment / 64]);
  return (word.fetch_or(BitOf(offset), std::memory_order_relaxed) & BitOf(offset)) == 0;
}

absl::Status LivingRecords::Read(uint64_t offset, CoinRecord& record) const {
  const uint64_t room = std::min<uint64_t>(segment_->records_end - offset, kRecordBytesMax);
  // Decoding never reads outside of its span, so the pages are checked when it is known which ones they are.
  if (DecodeRecord({at(offset), room}, record) &&
      segment_->checksums.PageRangeIsGood(segment_->base, offset, offset + record.size)) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(segment_->path, " is damaged at byte ", offset, "; ", kReindexRemedy, "."));
}

}  // namespace headrace
