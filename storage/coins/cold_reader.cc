#include "storage/coins/cold_reader.h"

#include <algorithm>

#include "storage/coins/window_ops.h"

namespace headrace {
namespace {

// Coins of a block that are asked about while memory seems to hold everything.
constexpr uint32_t kSamples = 16;
// Blocks that are looked at whole after one that lacked something.
constexpr uint32_t kSuspiciousBlocks = 256;
// Neighbouring pages are read together up to this.
constexpr uint64_t kReadBytesMax = 64 << 10;
// What of a record is looked at, nearly always: its length is not known before it is read.
constexpr uint64_t kRecordBytesLikely = 96;
constexpr size_t kBucketsAhead = 24;

constexpr uint64_t kPagesPerSegment = kSegmentBytes / kPageBytes;

class BatchReads final : public CoinReads {
 public:
  explicit BatchReads(FileBatchRef batch) : batch_(std::move(batch)) {}
  bool done() const override { return batch_->done(); }
  const absl::Status& status() const override { return batch_->status(); }

 private:
  const FileBatchRef batch_;
};

// Calls visit(segment, first page, end page) for what a look at the record may touch; old segments only.
template <typename Visit>
void ForPagesOf(const RecordSpace& space, RecordLocation location, Visit&& visit) {
  const Segment* segment = space.segment(SegmentOf(location));
  if (segment == nullptr || segment->kind != SegmentKind::kSealed) return;
  const uint64_t begin = OffsetOf(location);
  const uint64_t end = std::min<uint64_t>(begin + kRecordBytesLikely, segment->records_end);
  if (begin < end) visit(*segment, begin / kPageBytes, (end - 1) / kPageBytes + 1);
}

ByteSpan PagesAt(const Segment& segment, uint64_t first, uint64_t end) {
  return {segment.base + first * kPageBytes, (end - first) * kPageBytes};
}

}  // namespace

ColdReader::ColdReader(CoinState* state)
    : state_(state),
      discard_(std::make_shared<std::vector<uint8_t>>(kReadBytesMax)),
      meter_(std::make_shared<ColdReadMeter>()) {}

bool ColdReader::IsSampleResident(const BlockColumns& block) const {
  const uint32_t first = block.first_input.size() > 1 ? block.first_input[1] : 0;
  const uint32_t count = block.input_count() - first;
  const uint32_t step = std::max(1u, count / kSamples);
  for (uint32_t input = first; input < block.input_count(); input += step) {
    const uint8_t* prevout = block.prevout_bytes(input);
    const uint64_t hash = HashOutPoint(state_->hash_key, prevout, LoadLittle32(prevout + 32));
    bool is_resident = true;
    state_->shards[ShardOf(hash)].table.ForEachCandidate(hash, [&](RecordLocation location) {
      ForPagesOf(state_->space, location, [&](const Segment& segment, uint64_t page, uint64_t end) {
        is_resident = is_resident && state_->files->IsResident(PagesAt(segment, page, end));
      });
    });
    if (!is_resident) return false;
  }
  return true;
}

ColdReader::Pages ColdReader::MissingPages(const BlockColumns& block) const {
  // Creations are looked up as well (BIP30), and meet a record of the same hash bits now and then.
  std::vector<uint64_t> hashes;
  hashes.reserve(block.input_count() + block.output_count());
  ForEachCoinOp(block, [&](CoinOp::Kind, const uint8_t* txid, uint32_t index, uint32_t) {
    hashes.push_back(HashOutPoint(state_->hash_key, txid, index));
  });
  Pages pages;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (i + kBucketsAhead < hashes.size()) {
      const uint64_t ahead = hashes[i + kBucketsAhead];
      state_->shards[ShardOf(ahead)].table.PrefetchHome(ahead);
    }
    state_->shards[ShardOf(hashes[i])].table.ForEachCandidate(hashes[i], [&](RecordLocation location) {
      ForPagesOf(state_->space, location, [&](const Segment& segment, uint64_t page, uint64_t end) {
        for (; page < end; ++page) pages.push_back(segment.id * kPagesPerSegment + page);
      });
    });
  }
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  std::erase_if(pages, [&](uint64_t at) {
    const Segment& segment = *state_->space.segment(static_cast<uint32_t>(at / kPagesPerSegment));
    const uint64_t page = at % kPagesPerSegment;
    return state_->files->IsResident(PagesAt(segment, page, page + 1));
  });
  return pages;
}

CoinReadsRef ColdReader::Read(const Pages& pages, const std::function<void()>& when_read) {
  auto batch = std::make_shared<FileBatch>();
  for (size_t i = 0; i < pages.size();) {
    size_t end = i + 1;
    while (end < pages.size() && pages[end] == pages[end - 1] + 1 && (end - i) * kPageBytes < kReadBytesMax &&
           pages[end] / kPagesPerSegment == pages[i] / kPagesPerSegment) {
      ++end;
    }
    const Segment& segment = *state_->space.segment(static_cast<uint32_t>(pages[i] / kPagesPerSegment));
    FileOperation read{FileOperation::Kind::kRead, segment.file, pages[i] % kPagesPerSegment * kPageBytes};
    read.read_into = MutableByteSpan(*discard_).first((end - i) * kPageBytes);
    read.owner = discard_;
    batch->operations.push_back(std::move(read));
    i = end;
  }
  const size_t count = batch->operations.size();
  meter_->Begin(count, pages.size());
  batch->when_done = [meter = meter_, count, when_read] {
    meter->End(count);
    when_read();
  };
  auto reads = std::make_shared<BatchReads>(batch);
  state_->files->Submit(std::move(batch));
  return reads;
}

void ColdReader::Locate(std::span<const BlockColumns* const> blocks, std::span<CoinReadsRef> reads,
                        const std::function<void()>& when_read) {
  const uint32_t suspicious = suspicious_blocks_;
  std::vector<Pages> missing(blocks.size());
  state_->executor->ParallelFor(blocks.size(), 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (i < suspicious || !IsSampleResident(*blocks[i])) missing[i] = MissingPages(*blocks[i]);
    }
  });
  for (size_t i = 0; i < blocks.size(); ++i) {
    suspicious_blocks_ = missing[i].empty() ? suspicious_blocks_ - std::min(suspicious_blocks_, 1u) : kSuspiciousBlocks;
    reads[i] = missing[i].empty() ? nullptr : Read(missing[i], when_read);
  }
}

}  // namespace headrace
