// Raw blocks, undo records and the block index on disk, as the engine asks for them.
//
// Threads: the engine thread, but for Read and Map, which any thread may call.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/slab.h"
#include "engine/primitives/block_header.h"

namespace headrace {

// Where a record's payload starts: file number, byte offset, payload size. `size` 0 means there is none.
struct BlockPosition {
  uint32_t file = 0;
  uint32_t offset = 0;
  uint32_t size = 0;
  bool exists() const { return size != 0; }
  bool operator==(const BlockPosition&) const = default;
};

// Persisted knowledge about a block beside its header. Bits of BlockRecord::status.
enum BlockStatus : uint32_t {
  kBlockScriptsVerified = 1,  // set only after every script passed
  kBlockApplied = 2,          // was part of the active chain with all its rules checked (scripts perhaps assumed)
  kBlockInvalid = 4,          // broke a rule itself; descendants follow from it
};

struct BlockRecord {
  BlockHeader header;
  BlockPosition data;
  BlockPosition undo;
  uint32_t status = 0;
  uint32_t transaction_count = 0;
};

// A record's number in the index: headers are numbered in the order in which they were accepted, parents before
// children; genesis is 0.
using BlockRecordId = uint32_t;

class BlockStore {
 public:
  virtual ~BlockStore() = default;

  // The index as it was read at start, genesis included. An unreadable tail was cut off, with a log line.
  virtual std::span<const BlockRecord> records() const = 0;

  // Puts records (new headers, or changes to old ones) into the index: consecutive numbers may be new, others must
  // exist. Written out in the background in this order; durable after Sync.
  virtual absl::Status PutRecord(BlockRecordId id, const BlockRecord& record) = 0;

  // Appends a raw block, framed as the field does, and returns where its bytes will be. The slab is written in the
  // background and kept alive until then; Read and Map see it at once.
  virtual absl::StatusOr<BlockPosition> AppendBlock(const SlabRef& block) = 0;
  virtual absl::StatusOr<BlockPosition> AppendUndo(const Hash256& block_hash, ByteSpan undo) = 0;

  // A whole block, checked against its frame and size: the memory is a read-only mapping of the file or the slab itself.
  virtual absl::StatusOr<SharedBytes> Map(const BlockPosition& position) const = 0;
  // The undo bytes of a block, checked against their checksum and the block's hash.
  virtual absl::StatusOr<SharedBytes> ReadUndo(const BlockPosition& position, const Hash256& block_hash) const = 0;

  // Whether what is appended from now on is likely to be read soon: served to peers, or disconnected again. While a node catches
  // up hardly any of it is, and the system's memory is better used for coins.
  virtual void ExpectReads(bool soon) = 0;

  // Everything put and appended so far is on disk when this returns: block and undo files, then the index.
  virtual absl::Status Sync() = 0;
  // Hands to the disk what Sync would wait for, without waiting: a Sync some time later has little left to do.
  virtual void BeginSync() = 0;

  // Blocks that the store found in its files at start without a record have been taken up, or left for good: the next start
  // does not look for them again. Syncs when there were any.
  virtual absl::Status ForgetStrays() = 0;

  // The sentence for a stored block whose bytes are not what they should be: names the file and says what to do. Any thread.
  virtual absl::Status DamageAt(const BlockPosition& position, const std::string& what) const = 0;

  // Where the store is, for sentences that an operator reads.
  virtual const std::string& directory() const = 0;

  // Hands over what waits, without blocking: for a turn of the engine that appended nothing.
  virtual absl::Status Poll() = 0;

  virtual uint64_t bytes_written() const = 0;
  // Memory of undo records on their way to their files. Blocks on theirs are counted by whoever holds their slabs.
  virtual uint64_t undo_queue_bytes() const = 0;
  // What block and undo files take.
  virtual uint64_t disk_bytes() const = 0;
};

}  // namespace headrace
