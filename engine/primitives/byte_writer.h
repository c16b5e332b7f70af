// Appends wire encodings to a byte vector: the counterpart of ByteReader.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endian.h"

namespace headrace {

class ByteWriter {
 public:
  explicit ByteWriter(std::vector<uint8_t>& out) : out_(out) {}

  void U8(uint8_t value) { out_.push_back(value); }
  void U16(uint16_t value) { Little(value); }
  void U32(uint32_t value) { Little(value); }
  void U64(uint64_t value) { Little(value); }
  void Bytes(ByteSpan bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  void CompactSize(uint64_t value) {
    if (value < 0xfd) {
      U8(static_cast<uint8_t>(value));
    } else if (value <= 0xffff) {
      U8(0xfd);
      U16(static_cast<uint16_t>(value));
    } else if (value <= 0xffffffff) {
      U8(0xfe);
      U32(static_cast<uint32_t>(value));
    } else {
      U8(0xff);
      U64(value);
    }
  }
  void VarBytes(ByteSpan bytes) {
    CompactSize(bytes.size());
    Bytes(bytes);
  }

 private:
  template <typename T>
  void Little(T value) {
    const size_t at = out_.size();
    out_.resize(at + sizeof(T));
    StoreLittle(&out_[at], value);
  }

  std::vector<uint8_t>& out_;
};

}  // namespace headrace
