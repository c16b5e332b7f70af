// Which thread may do what with the blocks in flight: planned by one thread, signed by any number, sealed by another,
// in a ring of sixteen places. Pure bookkeeping without threads or blocks of its own, so that tests can walk it through
// every order of events; the pipeline calls it under its lock. Nothing here takes more than a few nanoseconds.
//
// A block is its planner's until Planned, its signers' until the last of its transactions is returned, its sealer's
// until Release: released() <= signed_blocks() <= planned() <= released() + kBlocksInFlight. Every count moves with the
// event itself, never later when somebody looks, so that nobody is still at a place that another has been given.
//
// Signers never wait for one another's txids. Blocks are signed one after the other, and a block in waves: a wave holds
// the transactions whose inputs are all made by earlier waves or blocks, and is given out once those are returned. A
// dozen waves a block, most of them short, cost less than a hundredth of the time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace headrace::chaingen {

class SigningSchedule {
 public:
  static constexpr uint32_t kBlocksInFlight = 16;

  // Transactions for one signer: positions [begin, end) of the block's signing order.
  struct Share {
    uint32_t block = 0;
    uint32_t begin = 0;
    uint32_t end = 0;
  };

  SigningSchedule(uint32_t blocks, uint32_t threads) : blocks_(blocks), threads_(threads) {}

  // Whether the block planned() may be planned: its place in the ring is free.
  bool CanPlan() const { return planned_ < blocks_ && planned_ < released_ + kBlocksInFlight; }
  // It has been; its waves end at these positions of its signing order, each of at least one transaction. No wave at
  // all for a block that has nothing to sign.
  void Planned(std::span<const uint32_t> wave_ends);

  // Whether there is something to sign whose inputs are all known.
  bool HasShare() const { return signed_ < planned_ && handed_out_ < WavesOf(signed_)[wave_]; }
  Share TakeShare();
  // All of the share is signed.
  void Return(const Share& share);

  // Whether the block released() is signed.
  bool CanSeal() const { return released_ < signed_; }
  // It has been sealed.
  void Release();

  // Blocks that have passed each stage.
  uint32_t planned() const { return planned_; }
  uint32_t signed_blocks() const { return signed_; }
  uint32_t released() const { return released_; }
  bool is_all_planned() const { return planned_ == blocks_; }
  bool is_all_signed() const { return signed_ == blocks_; }

 private:
  const std::vector<uint32_t>& WavesOf(uint32_t block) const { return wave_ends_[block % kBlocksInFlight]; }
  void PassSignedBlocks();

  const uint32_t blocks_;
  const uint32_t threads_;
  std::array<std::vector<uint32_t>, kBlocksInFlight> wave_ends_;
  uint32_t planned_ = 0;
  uint32_t signed_ = 0;
  uint32_t released_ = 0;
  // Of the block that is being signed.
  uint32_t wave_ = 0;
  uint32_t handed_out_ = 0;
  uint32_t returned_ = 0;
};

}  // namespace headrace::chaingen
