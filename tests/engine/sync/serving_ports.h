// What serving sees of the world, for its tests: a store in memory, and a network with queues of any length.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/ports/block_store.h"
#include "engine/sync/block_serving.h"

namespace headrace::testing {

// Blocks in memory, by the file number of their position; what serving does not need is not there.
class MemoryBlockStore final : public BlockStore {
 public:
  BlockPosition Keep(std::vector<uint8_t> bytes) {
    const BlockPosition position{static_cast<uint32_t>(blocks_.size()), 8, static_cast<uint32_t>(bytes.size())};
    blocks_.push_back(std::move(bytes));
    return position;
  }
  std::vector<uint8_t>& BytesAt(const BlockPosition& position) { return blocks_[position.file]; }

  absl::StatusOr<SharedBytes> Map(const BlockPosition& position) const override {
    return SharedBytes::From(Slab::Copy(blocks_[position.file]));
  }
  absl::Status DamageAt(const BlockPosition&, const std::string& what) const override {
    return absl::DataLossError(what);
  }

  std::span<const BlockRecord> records() const override { return {}; }
  absl::Status PutRecord(BlockRecordId, const BlockRecord&) override { return absl::UnimplementedError(""); }
  absl::StatusOr<BlockPosition> AppendBlock(const SlabRef&) override { return absl::UnimplementedError(""); }
  absl::StatusOr<BlockPosition> AppendUndo(const Hash256&, ByteSpan) override { return absl::UnimplementedError(""); }
  absl::StatusOr<SharedBytes> ReadUndo(const BlockPosition&, const Hash256&) const override {
    return absl::UnimplementedError("");
  }
  absl::Status Sync() override { return absl::OkStatus(); }
  void BeginSync() override {}
  void ExpectReads(bool) override {}
  absl::Status ForgetStrays() override { return absl::OkStatus(); }
  const std::string& directory() const override { return directory_; }
  absl::Status Poll() override { return absl::OkStatus(); }
  uint64_t bytes_written() const override { return 0; }
  uint64_t undo_queue_bytes() const override { return 0; }
  uint64_t disk_bytes() const override { return 0; }

 private:
  std::vector<std::vector<uint8_t>> blocks_;
  const std::string directory_ = "memory";
};

// A network whose peers have so much queued already.
class QueuedGateway final : public PeerGateway {
 public:
  bool TakeEvents(std::vector<PeerEvent>&, size_t) override { return false; }
  void Submit(std::vector<PeerCommand>&) override {}
  uint64_t QueuedBytes(PeerId peer) const override {
    return slow.contains(peer) ? BlockServing::kQueuedBytesMax : queued_bytes;
  }
  bool MaySendHistory() const override { return may_send_history; }
  uint64_t ReceivedBytes(PeerId) const override { return 0; }
  void SetBestHeight(int32_t) override {}

  uint64_t queued_bytes = 0;
  std::set<PeerId> slow;  // they read nothing
  bool may_send_history = true;
};

}  // namespace headrace::testing
