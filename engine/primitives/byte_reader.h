// A decoder over bytes with sticky failure: after the first fault every read gives zero or nothing, and one check at the
// end tells. Never reads outside its span.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/endian.h"
#include "engine/base/limits.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes) : bytes_(bytes) {}

  bool ok() const { return error_ == DecodeError::kNone; }
  DecodeError error() const { return error_; }
  void Fail(DecodeError error) {
    if (ok()) error_ = error;
  }

  size_t offset() const { return offset_; }
  size_t remaining() const { return bytes_.size() - offset_; }

  uint8_t U8() { return Take(1) ? bytes_[offset_ - 1] : 0; }
  uint16_t U16() { return Take(2) ? LoadLittle16(&bytes_[offset_ - 2]) : 0; }
  uint32_t U32() { return Take(4) ? LoadLittle32(&bytes_[offset_ - 4]) : 0; }
  uint64_t U64() { return Take(8) ? LoadLittle64(&bytes_[offset_ - 8]) : 0; }

  // A compact size in its shortest form and at most `kMaxCompactSize`; zero on failure.
  uint32_t CompactSize() {
    const uint64_t value = CompactSize64();
    if (value > kMaxCompactSize) {
      Fail(DecodeError::kOversizedCount);
      return 0;
    }
    return static_cast<uint32_t>(value);
  }

  // The same without the upper limit (service bits of BIP155 addresses).
  uint64_t CompactSize64() {
    const uint8_t first = U8();
    if (first < 0xfd) return first;
    uint64_t value;
    uint64_t least;
    if (first == 0xfd) {
      value = U16();
      least = 0xfd;
    } else if (first == 0xfe) {
      value = U32();
      least = 0x10000;
    } else {
      value = U64();
      least = 0x100000000;
    }
    if (value < least) {
      Fail(DecodeError::kNonCanonicalCompactSize);
      return 0;
    }
    return value;
  }

  ByteSpan Bytes(size_t size) { return Take(size) ? bytes_.subspan(offset_ - size, size) : ByteSpan(); }
  // A compact size and that many bytes.
  ByteSpan VarBytes() { return Bytes(CompactSize()); }
  // The same as a range of the span that was given.
  ByteRange VarRange() {
    const uint32_t size = CompactSize();
    return Take(size) && ok() ? ByteRange{static_cast<uint32_t>(offset_ - size), size} : ByteRange{};
  }
  void Skip(size_t size) { Take(size); }

 private:
  bool Take(size_t size) {
    if (!ok()) return false;
    if (size > remaining()) {
      error_ = DecodeError::kTruncated;
      return false;
    }
    offset_ += size;
    return true;
  }

  ByteSpan bytes_;
  size_t offset_ = 0;
  DecodeError error_ = DecodeError::kNone;
};

}  // namespace headrace
