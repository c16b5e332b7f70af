// The stack that scripts work on.
//
// An element is immutable: either a view of bytes that outlive the evaluation (pushes point into the script, witness
// items into the transaction) or a result of at most 32 bytes (numbers, hashes) held in place. So duplicating an element
// copies one small struct whatever its size, nothing is allocated once the stack has grown to its working size, and what
// a hostile script can make it hold is bounded by the element count. One thread at a time.
#pragma once

#include <cstring>
#include <vector>

#include "engine/base/check.h"
#include "engine/script/script_number.h"

namespace headrace {

class StackElement {
 public:
  static constexpr size_t kInlineBytes = 32;

  StackElement() {}
  // A view; the bytes must outlive the element.
  static StackElement View(ByteSpan bytes) {
    StackElement element;
    element.external_ = bytes.data();
    element.size_ = static_cast<uint32_t>(bytes.size());
    return element;
  }
  // A copy of at most 32 bytes.
  static StackElement Copy(ByteSpan bytes) {
    HR_CHECK(bytes.size() <= kInlineBytes);
    StackElement element;
    element.size_ = static_cast<uint32_t>(bytes.size());
    if (!bytes.empty()) std::memcpy(element.inline_, bytes.data(), bytes.size());
    return element;
  }
  static StackElement Number(int64_t number) { return Copy(EncodedScriptNumber(number).span()); }
  static StackElement Bool(bool value) { return Number(value ? 1 : 0); }

  // Valid as long as this element stays where it is.
  ByteSpan span() const { return {external_ != nullptr ? external_ : inline_, size_}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool IsTrue() const { return CastToBool(span()); }

 private:
  const uint8_t* external_ = nullptr;
  uint32_t size_ = 0;
  uint8_t inline_[kInlineBytes];
};
static_assert(sizeof(StackElement) == 48);

class ScriptStack {
 public:
  size_t size() const { return elements_.size(); }
  bool empty() const { return elements_.empty(); }

  // `depth` counts from the top, which is 1, and is at most size().
  StackElement& Top(size_t depth = 1) { return elements_[elements_.size() - depth]; }
  const StackElement& Top(size_t depth = 1) const { return elements_[elements_.size() - depth]; }

  // By value: the argument may be an element of this very stack.
  void Push(StackElement element) { elements_.push_back(element); }
  void PushView(ByteSpan bytes) { Push(StackElement::View(bytes)); }
  void Pop(size_t count = 1) { elements_.resize(elements_.size() - count); }
  // Takes out the element at `depth`; those above it sink by one.
  void Remove(size_t depth) { elements_.erase(elements_.end() - static_cast<ptrdiff_t>(depth)); }
  // Puts an element below the `depth` topmost ones.
  void InsertBelow(size_t depth, StackElement element) {
    elements_.insert(elements_.end() - static_cast<ptrdiff_t>(depth), element);
  }
  void Clear() { elements_.clear(); }
  void Swap(ScriptStack& other) { elements_.swap(other.elements_); }
  void CopyFrom(const ScriptStack& other) { elements_ = other.elements_; }

 private:
  std::vector<StackElement> elements_;
};

}  // namespace headrace
