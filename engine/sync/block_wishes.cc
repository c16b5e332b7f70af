#include "engine/sync/block_wishes.h"

#include <cstddef>

#include "engine/base/check.h"

namespace headrace {
namespace {

// What was taken goes when it is more than half, so that each entry is moved once on average.
template <typename Entry>
void DropTaken(std::vector<Entry>& entries, size_t& head) {
  if (head == entries.size()) {
    entries = std::vector<Entry>();
  } else if (2 * head < entries.size()) {
    return;
  } else {
    entries.erase(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(head));
  }
  head = 0;
}

}  // namespace

void BlockWishes::Push(const InventoryItem& item, HeaderId id) {
  const bool is_block = item.type == kInvBlock || item.type == kInvWitnessBlock;
  if (id == kNoHeader || !is_block) {
    entries_.push_back(kOther);
    others_.push_back(item);
    return;
  }
  HR_CHECK(id < (kOther & ~kWithWitness));
  entries_.push_back(item.type == kInvWitnessBlock ? id | kWithWitness : id);
}

BlockWishes::Wish BlockWishes::Pop() {
  HR_CHECK(!empty());
  const uint32_t entry = entries_[head_++];
  DropTaken(entries_, head_);
  Wish wish;
  if (entry == kOther) {
    wish.item = others_[others_head_++];
    DropTaken(others_, others_head_);
    return wish;
  }
  wish.id = entry & ~kWithWitness;
  wish.item.type = (entry & kWithWitness) != 0 ? kInvWitnessBlock : kInvBlock;
  return wish;
}

void BlockWishes::Clear() { *this = BlockWishes(); }

}  // namespace headrace
