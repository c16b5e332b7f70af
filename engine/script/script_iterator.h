// Walks a script operation by operation. Never reads outside of the script; stops at the first push that promises more
// bytes than there are.
#pragma once

#include "engine/base/bytes.h"
#include "engine/base/endian.h"
#include "engine/script/opcode.h"

namespace headrace {

class ScriptIterator {
 public:
  explicit ScriptIterator(ByteSpan script) : script_(script) {}

  // Steps to the next operation; false at the end and at a malformed push (`malformed` tells which).
  bool Next() {
    if (position_ >= script_.size()) return false;
    opcode_ = static_cast<Opcode>(script_[position_++]);
    data_ = {};
    return opcode_ > Opcode::kPushData4 || ReadData();
  }

  // The operation that the last successful Next stepped over, and its data (empty when it is no push).
  Opcode opcode() const { return opcode_; }
  ByteSpan data() const { return data_; }
  // Where the next operation begins.
  size_t position() const { return position_; }
  bool at_end() const { return position_ >= script_.size(); }
  bool malformed() const { return malformed_; }

 private:
  bool ReadData() {
    size_t size = static_cast<size_t>(opcode_);
    const size_t left = script_.size() - position_;
    if (opcode_ >= Opcode::kPushData1) {
      const size_t width = opcode_ == Opcode::kPushData1 ? 1 : opcode_ == Opcode::kPushData2 ? 2 : 4;
      if (left < width) return Malformed();
      const uint8_t* at = script_.data() + position_;
      size = width == 1 ? *at : width == 2 ? LoadLittle16(at) : LoadLittle32(at);
      position_ += width;
    }
    if (size > script_.size() - position_) return Malformed();
    data_ = script_.subspan(position_, size);
    position_ += size;
    return true;
  }

  bool Malformed() {
    malformed_ = true;
    position_ = script_.size();
    return false;
  }

  ByteSpan script_;
  size_t position_ = 0;
  Opcode opcode_ = Opcode::kInvalid;
  bool malformed_ = false;
  ByteSpan data_;
};

// Whether the push takes the shortest opcode that can push its data (BIP62's MINIMALDATA).
bool IsMinimalPush(Opcode opcode, ByteSpan data);

// Whether every operation of a well-formed script pushes (OP_RESERVED counts as a push, as it always has).
bool IsPushOnly(ByteSpan script);

}  // namespace headrace
