#include "engine/crypto/lax_der.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr uint8_t kSequenceTag = 0x30;
constexpr uint8_t kIntegerTag = 0x02;
constexpr uint8_t kLongForm = 0x80;

// Takes bytes from the front of a span; every method says whether they were there.
class DerCursor {
 public:
  explicit DerCursor(ByteSpan bytes) : left_(bytes) {}

  bool TakeTag(uint8_t tag) {
    uint8_t byte;
    return TakeByte(byte) && byte == tag;
  }

  // The length of the sequence is read over, never believed.
  bool SkipSequenceLength() {
    uint8_t first;
    if (!TakeByte(first)) return false;
    ByteSpan ignored;
    return (first & kLongForm) == 0 || TakeBytes(first & ~kLongForm, ignored);
  }

  bool TakeInteger(ByteSpan& integer) {
    size_t length;
    return TakeTag(kIntegerTag) && TakeLength(length) && TakeBytes(length, integer);
  }

 private:
  // The short form, or the long form with any number of leading zeros and at most three bytes after them.
  bool TakeLength(size_t& length) {
    uint8_t first;
    if (!TakeByte(first)) return false;
    length = first;
    if ((first & kLongForm) == 0) return true;
    ByteSpan digits;
    if (!TakeBytes(first & ~kLongForm, digits)) return false;
    while (!digits.empty() && digits[0] == 0) digits = digits.subspan(1);
    if (digits.size() > 3) return false;
    length = 0;
    for (uint8_t digit : digits) length = length << 8 | digit;
    return true;
  }

  bool TakeByte(uint8_t& byte) {
    if (left_.empty()) return false;
    byte = left_[0];
    left_ = left_.subspan(1);
    return true;
  }

  bool TakeBytes(size_t size, ByteSpan& bytes) {
    if (size > left_.size()) return false;
    bytes = left_.first(size);
    left_ = left_.subspan(size);
    return true;
  }

  ByteSpan left_;
};

// Writes the integer right-aligned into 32 bytes; false when it does not fit. Signs are not looked at.
bool StoreInteger(ByteSpan integer, uint8_t* to) {
  while (!integer.empty() && integer[0] == 0) integer = integer.subspan(1);
  if (integer.size() > 32) return false;
  std::copy(integer.begin(), integer.end(), to + 32 - integer.size());
  return true;
}

}  // namespace

std::optional<CompactSignature> ReadLaxDer(ByteSpan der) {
  DerCursor cursor(der);
  ByteSpan r, s;
  if (!cursor.TakeTag(kSequenceTag) || !cursor.SkipSequenceLength()) return std::nullopt;
  if (!cursor.TakeInteger(r) || !cursor.TakeInteger(s)) return std::nullopt;
  CompactSignature compact{};
  if (!StoreInteger(r, compact.data()) || !StoreInteger(s, compact.data() + 32)) compact.fill(0);
  return compact;
}

}  // namespace headrace
