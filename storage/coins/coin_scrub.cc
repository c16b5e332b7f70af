#include "storage/coins/coin_scrub.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

uint64_t SumsBytes(uint64_t body_bytes) { return body_bytes / kPageBytes * 4; }

}  // namespace

CoinScrub::CoinScrub(const CoinState* state, uint64_t piece_bytes)
    : state_(state), piece_bytes_(std::max(RoundUpToPage(piece_bytes), kPageBytes)) {}

void CoinScrub::Begin(const CoinManifest* published) {
  HR_CHECK(!under_way());
  if (published != nullptr) {
    left_.push_back({Kind::kManifest, published->image_serial});
    for (uint32_t shard = 0; shard < kCoinShardCount; ++shard) {
      left_.push_back({Kind::kTable, published->image_serial, shard});
    }
  }
  for (const Segment* segment : state_->space.OldSegments()) {
    if (HasWholeFile(segment->kind)) left_.push_back({Kind::kSegment, segment->serial, segment->id});
  }
}

const Segment* CoinScrub::FindSegment(const Stretch& stretch) const {
  const Segment* segment = state_->space.segment(stretch.number);
  const bool is_same = segment != nullptr && HasWholeFile(segment->kind) && segment->serial == stretch.serial;
  return is_same ? segment : nullptr;
}

bool CoinScrub::IsNeeded(const Stretch& stretch, const CoinManifest& published) const {
  // A manifest and its image go together.
  return stretch.kind == Kind::kSegment ? FindSegment(stretch) != nullptr : published.image_serial == stretch.serial;
}

absl::Status CoinScrub::OpenFile(const std::string& path, uint64_t size) {
  // The tables of an image follow one another in one file.
  if (open_.file != nullptr && open_.path == path) return absl::OkStatus();
  open_.path = path;
  open_.file = nullptr;
  HR_ASSIGN_OR_RETURN(open_.file, state_->files->Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t found, open_.file->Size());
  if (found == size) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(path, " has ", found, " bytes where ", size, " were written; ", kReindexRemedy, "."));
}

absl::Status CoinScrub::OpenNext(const CoinManifest& published) {
  const Stretch& stretch = left_.front();
  is_open_ = true;
  open_.has_sums = false;
  switch (stretch.kind) {
    case Kind::kManifest: {
      const uint64_t size = EncodeManifest(published).size();
      HR_RETURN_IF_ERROR(OpenFile(absl::StrCat(state_->directory, "/", kManifestFileName), size));
      open_.begin = open_.next = 0;
      open_.body_bytes = open_.end = size;
      return absl::OkStatus();
    }
    case Kind::kTable: {
      const ShardEntry& entry = published.shards[stretch.number];
      HR_RETURN_IF_ERROR(
          OpenFile(absl::StrCat(state_->directory, "/", ImageFileName(stretch.serial)), published.image_bytes));
      open_.begin = entry.offset;
      open_.body_bytes = RoundUpToPage(published.TableBytes(entry));
      open_.end = open_.begin + RoundUpToPage(open_.body_bytes + SumsBytes(open_.body_bytes));
      // The sums come first, or with all the rest.
      open_.next = open_.begin + (open_.end - open_.begin <= piece_bytes_ ? 0 : open_.body_bytes);
      return absl::OkStatus();
    }
    case Kind::kSegment: {
      const Segment& segment = *FindSegment(stretch);
      // By its name: the handle that the store has would outlive the name.
      HR_RETURN_IF_ERROR(OpenFile(segment.path, segment.file_bytes));
      open_.begin = open_.next = 0;
      open_.body_bytes = RoundUpToPage(segment.records_end);
      open_.end = segment.file_bytes;
      return absl::OkStatus();
    }
  }
  return absl::OkStatus();
}

void CoinScrub::ReadNext() {
  // A piece does not go over the end of the body: pages are one thing, their sums another.
  const uint64_t body_end = open_.begin + open_.body_bytes;
  const bool is_whole = left_.front().kind == Kind::kTable && open_.next == open_.begin && !open_.has_sums;
  const uint64_t end = open_.next < body_end && !is_whole ? std::min(open_.next + piece_bytes_, body_end) : open_.end;
  piece_.offset = open_.next;
  piece_.bytes.resize(end - open_.next);
  piece_.batch = std::make_shared<FileBatch>();
  piece_.batch->operations.push_back({FileOperation::Kind::kRead, open_.file, piece_.offset, piece_.bytes});
  state_->files->Submit(piece_.batch);
  open_.next = end;
}

absl::Status CoinScrub::DamageAt(uint64_t offset) const {
  return absl::DataLossError(absl::StrCat(open_.path, " is damaged at byte ", offset, "; ", kReindexRemedy, "."));
}

absl::Status CoinScrub::CheckPages(ByteSpan pages, const PageChecksums& sums) const {
  for (uint64_t at = 0; at < pages.size(); at += kPageBytes) {
    const uint64_t page = (piece_.offset - open_.begin + at) / kPageBytes;
    if (!sums.Matches(page, pages.data() + at)) return DamageAt(piece_.offset + at);
  }
  return absl::OkStatus();
}

absl::Status CoinScrub::CheckTable(const ShardEntry& entry) {
  const ByteSpan bytes = piece_.bytes;
  if (open_.has_sums) return CheckPages(bytes, open_.sums);
  const uint64_t body_end = open_.begin + open_.body_bytes;
  const uint64_t sums_bytes = SumsBytes(open_.body_bytes);
  const ByteSpan tail = bytes.subspan(body_end - piece_.offset);
  open_.sums = PageChecksums::Load(tail.first(sums_bytes));
  if (open_.sums.total() != entry.checksum) return DamageAt(body_end);
  const auto filled = std::find_if(tail.begin() + static_cast<ptrdiff_t>(sums_bytes), tail.end(),
                                   [](uint8_t byte) { return byte != 0; });
  if (filled != tail.end()) return DamageAt(body_end + static_cast<uint64_t>(filled - tail.begin()));
  open_.has_sums = true;
  const bool is_whole = piece_.offset == open_.begin;
  open_.next = is_whole ? body_end : open_.begin;
  return is_whole ? CheckPages(bytes.first(open_.body_bytes), open_.sums) : absl::OkStatus();
}

absl::Status CoinScrub::Check(const CoinManifest& published) {
  const Stretch& stretch = left_.front();
  bytes_checked_ += piece_.bytes.size();
  switch (stretch.kind) {
    case Kind::kManifest: {
      const std::vector<uint8_t> written = EncodeManifest(published);
      const auto [at, expected] = std::ranges::mismatch(piece_.bytes, ByteSpan(written).subspan(piece_.offset));
      if (at != piece_.bytes.end()) {
        return DamageAt(piece_.offset + static_cast<uint64_t>(at - piece_.bytes.begin()));
      }
      return absl::OkStatus();
    }
    case Kind::kTable:
      return CheckTable(published.shards[stretch.number]);
    case Kind::kSegment: {
      const PageChecksums& sums = FindSegment(stretch)->checksums;
      if (piece_.offset < open_.body_bytes) return CheckPages(piece_.bytes, sums);
      const auto [at, expected] = std::ranges::mismatch(piece_.bytes, sums.bytes());
      if (at == piece_.bytes.end()) return absl::OkStatus();
      return DamageAt(piece_.offset + static_cast<uint64_t>(at - piece_.bytes.begin()));
    }
  }
  return absl::OkStatus();
}

bool CoinScrub::IsRead() const {
  if (left_.front().kind != Kind::kTable) return open_.next == open_.end;
  return open_.has_sums && open_.next == open_.begin + open_.body_bytes;
}

absl::Status CoinScrub::Step(const CoinManifest& published) {
  absl::Status status = Advance(published);
  if (!status.ok()) Abandon();
  return status;
}

void CoinScrub::Abandon() {
  if (piece_.batch != nullptr) piece_.batch->Wait();
  piece_ = Piece();
  left_.clear();
  is_open_ = false;
  open_ = Stand();
}

absl::Status CoinScrub::Advance(const CoinManifest& published) {
  if (piece_.batch != nullptr) {
    if (!piece_.batch->done()) return absl::OkStatus();
    const FileBatchRef batch = std::exchange(piece_.batch, nullptr);
    // What became of a file that nothing needs any more is no concern.
    const bool is_needed = IsNeeded(left_.front(), published);
    if (is_needed) {
      HR_RETURN_IF_ERROR(batch->status());
      HR_RETURN_IF_ERROR(Check(published));
    }
    if (!is_needed || IsRead()) EndStretch();
  }
  while (!left_.empty() && piece_.batch == nullptr) {
    if (!IsNeeded(left_.front(), published)) {
      EndStretch();
      continue;
    }
    if (!is_open_) HR_RETURN_IF_ERROR(OpenNext(published));
    ReadNext();
  }
  return absl::OkStatus();
}

void CoinScrub::EndStretch() {
  is_open_ = false;
  left_.pop_front();
  if (!left_.empty()) return;
  Abandon();
  ++rounds_;
  HR_LOG(kInfo, kCoins, "scrubbed the coin store rounds=", rounds_, " bytes=", bytes_checked_);
}

}  // namespace headrace
