// Wire encodings written straight into a running SHA-256. Small fields are gathered in a block of bytes first, since a
// hasher call costs more than copying them.
#pragma once

#include <cstring>

#include "engine/base/endian.h"
#include "engine/crypto/sha256.h"
#include "engine/primitives/transaction_view.h"

namespace headrace {

class HashStream {
 public:
  HashStream() = default;
  // Continues a hasher that has absorbed a prefix.
  explicit HashStream(const Sha256Hasher& hasher) : hasher_(hasher) {}

  void U8(uint8_t value) { Little(value); }
  void U32(uint32_t value) { Little(value); }
  void U64(uint64_t value) { Little(value); }
  void CompactSize(uint64_t value) {
    if (value < 0xfd) return Little(static_cast<uint8_t>(value));
    if (value <= 0xffff) {
      U8(0xfd);
      return Little(static_cast<uint16_t>(value));
    }
    U8(value <= 0xffffffff ? 0xfe : 0xff);
    if (value <= 0xffffffff) return Little(static_cast<uint32_t>(value));
    Little(value);
  }
  void Bytes(ByteSpan bytes) {
    if (bytes.size() > kGatherBytes / 4) {
      Flush();
      hasher_.Write(bytes);
    } else if (!bytes.empty()) {
      if (used_ + bytes.size() > kGatherBytes) Flush();
      std::memcpy(gathered_ + used_, bytes.data(), bytes.size());
      used_ += bytes.size();
    }
  }
  void VarBytes(ByteSpan bytes) {
    CompactSize(bytes.size());
    Bytes(bytes);
  }
  void Prevout(TransactionView transaction, uint32_t input) {
    Bytes({transaction.prevout_bytes(input), OutPoint::kSerializedBytes});
  }
  void Output(TransactionView transaction, uint32_t output) {
    U64(static_cast<uint64_t>(transaction.amount(output)));
    VarBytes(transaction.script_pubkey(output));
  }

  Digest256 Finish() {
    Flush();
    return hasher_.Finish();
  }
  Digest256 FinishDouble() {
    Flush();
    return hasher_.FinishDouble();
  }

 private:
  static constexpr size_t kGatherBytes = 512;

  template <typename T>
  void Little(T value) {
    if (used_ + sizeof(T) > kGatherBytes) Flush();
    StoreLittle(gathered_ + used_, value);
    used_ += sizeof(T);
  }
  void Flush() {
    hasher_.Write({gathered_, used_});
    used_ = 0;
  }

  Sha256Hasher hasher_;
  size_t used_ = 0;
  uint8_t gathered_[kGatherBytes];
};

}  // namespace headrace
