// The scrub: reads every byte that the store relies on from its files, in the background, and checks it: the published
// manifest, its index image, and all sealed segments. Pages that nobody touches for years rot like others; whoever
// finds it out early still has the blocks to rebuild from.
//
// A round is a list of files; it remembers nothing on disk. Files that a checkpoint deletes meanwhile are left out:
// what replaces them is the next round's. What does not hold is a sentence that names the file, as for any other
// damage.
//
// Threads: the engine thread. A step hands one piece to the file system or checks the one that has come, so it costs
// the checksums of a piece (a millisecond for 4 MiB), and never waits for the disk.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/coins/coin_manifest.h"
#include "storage/coins/coin_state.h"

namespace headrace {

class CoinScrub {
 public:
  // `piece_bytes` is rounded up to a page.
  CoinScrub(const CoinState* state, uint64_t piece_bytes);
  // Waits for what is being read.
  ~CoinScrub() { Abandon(); }

  // The round must be over. `published` is what the directory's manifest says; null when none was published.
  void Begin(const CoinManifest* published);
  // `published` is what the manifest says now.
  // After a failure the round is over.
  absl::Status Step(const CoinManifest& published);
  bool under_way() const { return !left_.empty() || piece_.batch != nullptr; }

  uint64_t rounds() const { return rounds_; }
  uint64_t bytes_checked() const { return bytes_checked_; }

 private:
  enum class Kind : uint8_t { kManifest, kTable, kSegment };
  // A stretch of a file that is summed as one: the manifest, one shard's table in the image, a segment.
  struct Stretch {
    Kind kind;
    uint64_t serial = 0;  // of the image or segment
    uint32_t number = 0;  // the shard's; the segment's id
  };
  // What is known of the stretch that is being read.
  struct Stand {
    std::string path;
    FileRef file;
    uint64_t begin = 0;       // in the file
    uint64_t body_bytes = 0;  // summed pages
    uint64_t end = 0;         // behind the sums, and what fills their last page
    uint64_t next = 0;        // where the next piece begins
    PageChecksums sums;
    bool has_sums = false;
  };
  struct Piece {
    uint64_t offset = 0;
    std::vector<uint8_t> bytes;
    FileBatchRef batch;
  };

  absl::Status Advance(const CoinManifest& published);
  void Abandon();
  const Segment* FindSegment(const Stretch& stretch) const;
  // Whether the store still relies on it.
  bool IsNeeded(const Stretch& stretch, const CoinManifest& published) const;
  absl::Status OpenNext(const CoinManifest& published);
  absl::Status OpenFile(const std::string& path, uint64_t size);
  void ReadNext();
  absl::Status Check(const CoinManifest& published);
  absl::Status CheckTable(const ShardEntry& entry);
  absl::Status CheckPages(ByteSpan pages, const PageChecksums& sums) const;
  absl::Status DamageAt(uint64_t offset) const;
  bool IsRead() const;
  void EndStretch();

  const CoinState* const state_;
  const uint64_t piece_bytes_;
  std::deque<Stretch> left_;  // the first is being read when is_open_
  bool is_open_ = false;
  Stand open_;
  Piece piece_;
  uint64_t rounds_ = 0;
  uint64_t bytes_checked_ = 0;
};

}  // namespace headrace
