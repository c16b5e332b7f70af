// What a peer asked for by getdata and was not sent yet, in the order in which it asked.
//
// A message may hold 50,000 items of 36 bytes, a thousand peers may send one, and who reads slowly has them wait for
// long. So blocks of the tree, which is what is asked for, take four bytes each. Anything else keeps its item, for the
// notfound by which it is answered.
//
// Engine thread. Nothing is held while nothing waits.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/chain/header_tree.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

class BlockWishes {
 public:
  // Every peer may have as much waiting as this whatever others have: two thousand blocks.
  static constexpr uint64_t kOwnBytes = 8 << 10;

  struct Wish {
    HeaderId id = kNoHeader;  // or of no block of the tree: then `item` is whole, and else without its hash
    InventoryItem item;
  };

  bool empty() const { return head_ == entries_.size(); }
  size_t size() const { return entries_.size() - head_; }
  // Of memory that what waits takes; vectors that grow take up to twice that.
  uint64_t bytes() const { return size() * sizeof(uint32_t) + (others_.size() - others_head_) * sizeof(InventoryItem); }
  // What it has beyond its own share.
  uint64_t bytes_beyond_own() const { return bytes() > kOwnBytes ? bytes() - kOwnBytes : 0; }

  // `id` is what the item's hash names, kNoHeader if that is nothing in the tree.
  void Push(const InventoryItem& item, HeaderId id);
  // There is one.
  Wish Pop();
  void Clear();

 private:
  // A HeaderId and whether its witnesses are wanted, or that the next of `others_` is meant.
  static constexpr uint32_t kWithWitness = 1u << 31;
  static constexpr uint32_t kOther = 0xffffffff;

  std::vector<uint32_t> entries_;
  std::vector<InventoryItem> others_;
  size_t head_ = 0;  // what is before them was taken
  size_t others_head_ = 0;
};

}  // namespace headrace
