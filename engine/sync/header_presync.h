// A chain of headers of which it is not known yet whether it has enough work: seen twice, in bounded memory.
// (protocol.md §4)
//
// A header costs its sender little at the difficulty of the first years, and the tree 240 bytes for ever. So the
// headers of a chain that does not show enough work in its first message are not kept: the first time, only their proof
// of work, that they follow one another and that their difficulty may follow are checked, their work is summed up, and
// of every kPeriod-th the hash is kept as one bit, salted so that nobody can aim at it. When the sum is enough, the
// same headers are asked for again, must match the bits, and are released to the tree when kBufferHeaders more stand
// behind them or the sum is reached anew. A header that is not part of a chain with enough work gets into the tree only
// past kBufferHeaders / kPeriod = 22 bits: one attempt in four million, each at the price of a chain with enough work.
//
// Memory of one: the bits (no more headers than six a second since the fork's median time can be valid, so on mainnet
// from genesis in 2026 3.4e9 / 640 bits = 0.66 MB, twice that while the vector grows) and kBufferHeaders and a message
// of 80 bytes (1.3 MB): 2.7 MB at most, whatever is sent. An honest chain of 950,000 headers takes 186 bytes and then
// the buffer. HeaderSync has at most kPresyncPeersMax of them: 22 MB.
//
// Engine thread only. Costs a hash and a target a header, twice.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string_view>
#include <vector>

#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"

namespace headrace {

class HeaderPresync {
 public:
  static constexpr uint32_t kPeriod = 640;
  static constexpr size_t kBufferHeaders = 22 * kPeriod + kPeriod / 2;

  enum class Outcome : uint8_t {
    kGoOn,       // more headers are wanted: from Locator()
    kTooLittle,  // the chain ends with less work than is needed
    kBroken,     // a rule is broken, or the chain is not the one that was shown before: failure() says which
    kDone,       // enough work: everything that came is released
  };

  struct Salt {
    uint64_t key0 = 0;
    uint64_t key1 = 0;
  };

  // `fork`: the header of the tree on which the chain stands.
  HeaderPresync(const HeaderTree& tree, HeaderId fork, const Uint256& work_needed, int64_t now_s,
                const ChainParams& params, const Salt& salt);

  // Headers that follow what came before, a message's; `is_full` when it had as many as fit. Those that are to be
  // judged by all rules and put into the tree are added to `released`, in order.
  Outcome Take(std::span<const BlockHeader> headers, bool is_full, std::vector<BlockHeader>& released);

  // For the next question.
  std::vector<Hash256> Locator() const;

  bool is_redownload() const { return is_redownload_; }
  uint32_t height() const { return cursor_.height; }
  const Hash256& last_hash() const { return cursor_.hash; }
  std::string_view failure() const { return failure_; }
  // Of what is kept.
  size_t memory_bytes() const { return commitments_.capacity() / 8 + buffer_.size() * sizeof(BlockHeader); }
  size_t commitments_max() const { return commitments_max_; }

 private:
  struct Cursor {
    Hash256 hash;
    uint32_t height;
    uint32_t bits;
    Uint256 work;
  };

  Cursor AtFork() const;
  // The header follows what came before by the rules that need no ancestors; moves the cursor to it.
  bool Follow(const BlockHeader& header);
  Outcome Break(std::string_view failure);
  Outcome Commit(std::span<const BlockHeader> headers, bool is_full);
  Outcome Compare(std::span<const BlockHeader> headers, bool is_full, std::vector<BlockHeader>& released);
  bool IsCommitted(uint32_t height) const { return height % kPeriod == offset_; }
  bool BitOf(const Hash256& hash) const;

  const HeaderTree& tree_;
  const HeaderId fork_;
  const Uint256 work_needed_;
  const ChainParams& params_;
  const Salt salt_;
  const uint32_t offset_;  // which of kPeriod headers is looked at: nobody can know
  size_t commitments_max_ = 0;
  Cursor cursor_;
  std::vector<bool> commitments_;
  bool is_redownload_ = false;
  size_t compared_ = 0;
  std::deque<BlockHeader> buffer_;
  std::string_view failure_;
};

}  // namespace headrace
