// A spend's witness as it is serialised in the transaction: counted and measured without being unpacked. What the rules
// look at before a script runs are its topmost items alone. Never reads outside its span.
#pragma once

#include <algorithm>
#include <array>

#include "engine/primitives/byte_reader.h"

namespace headrace {

class WitnessStack {
 public:
  // How many items from the top are at hand by name: annex, control block, script.
  static constexpr size_t kTopItems = 3;

  // `serialized` is an item count and the items, or empty when there is no witness.
  explicit WitnessStack(ByteSpan serialized) : serialized_(serialized) {
    if (serialized.empty()) return;
    ByteReader reader(serialized);
    size_ = reader.CompactSize();
    items_offset_ = reader.offset();
    for (size_t i = 0; i < size_ && reader.ok(); ++i) {
      const ByteSpan item = reader.VarBytes();
      if (i + kTopItems >= size_) top_[size_ - 1 - i] = item;
    }
    if (!reader.ok()) *this = WitnessStack(ByteSpan());
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // The size on the wire, which tapscript's budget counts.
  size_t serialized_size() const { return serialized_.size(); }
  // `depth` counts from the top, which is 1, and is at most kTopItems and at most size().
  ByteSpan Top(size_t depth) const { return top_[depth - 1]; }

  // Calls visit(index, item) for the first `count` items, which are the deepest, until one returns false.
  template <typename Visit>
  bool VisitFirst(size_t count, Visit visit) const {
    ByteReader reader(serialized_.subspan(std::min(items_offset_, serialized_.size())));
    for (size_t i = 0; i < count; ++i) {
      if (!visit(i, reader.VarBytes())) return false;
    }
    return true;
  }

 private:
  ByteSpan serialized_;
  size_t size_ = 0;
  size_t items_offset_ = 0;
  std::array<ByteSpan, kTopItems> top_{};
};

}  // namespace headrace
