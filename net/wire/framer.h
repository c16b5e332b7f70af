// Bytes of one peer's stream in, whole messages out; no IO.
//
// The owner feeds what arrives (Consume) and takes each message as it becomes whole. A message that arrives in one piece
// is never copied: its body points into the bytes that were fed. Others collect in a buffer that grows with the bytes
// received, never with the length that was merely announced. For messages that are expected (a block in flight to this
// peer) the owner's `make_slab` gives an exact slab, and DirectTarget names the memory into which the transport receives
// the rest of the body itself.
//
// The first fault is final: error() tells it, and nothing is consumed any more. One thread; the checksum is computed as
// the bytes come, while they are warm in the cache.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/base/slab.h"
#include "engine/crypto/sha256.h"
#include "net/wire/message_header.h"

namespace headrace {

enum class FramingError : uint8_t { kNone, kWrongMagic, kBadCommand, kOversized, kBadChecksum };

std::string_view FramingErrorText(FramingError error);

struct Message {
  Command command;
  // Valid until the framer is fed again, unless a slab owns it.
  ByteSpan body;
  std::shared_ptr<const Slab> slab;  // set when the body landed in an exact slab
};

class Framer {
 public:
  // Bodies with fewer missing bytes are not worth an extra receive of their own.
  static constexpr size_t kDirectBytesMin = 8 * 1024;

  // Gives a slab of exactly `body_bytes` for a message that is expected, or nothing.
  using SlabMaker = std::function<std::shared_ptr<Slab>(const Command& command, uint32_t body_bytes)>;

  Framer(const NetworkMagic& magic, SlabMaker make_slab) : magic_(magic), make_slab_(std::move(make_slab)) {}

  // Takes bytes up to the end of the next message at most, and returns how many. Call again with the rest after the
  // message was used.
  size_t Consume(ByteSpan bytes);

  bool has_message() const { return has_message_; }
  // The message that became whole; the framer goes on with the next.
  Message TakeMessage();
  // The message was used: memory that it needed is given back now, and not when the next one comes, which may be never.
  void ForgetBody();

  // Where the next bytes of the stream may be put: the missing rest of an exact slab, or nothing.
  MutableByteSpan DirectTarget() const;
  std::shared_ptr<void> direct_owner() const { return slab_; }
  // The first `size` bytes of DirectTarget were filled.
  void CommitDirect(size_t size);

  FramingError error() const { return error_; }
  // Memory that grew with received bytes (exact slabs are not counted: there is at most one).
  size_t buffered_bytes() const { return buffer_.capacity(); }

 private:
  void ParseHeader();
  void AppendBody(ByteSpan bytes);
  void CompleteIfWhole();
  void Fail(FramingError error) { error_ = error; }

  const NetworkMagic magic_;
  const SlabMaker make_slab_;

  uint8_t header_bytes_[MessageHeader::kSerializedBytes];
  size_t header_received_ = 0;
  MessageHeader header_;
  size_t body_received_ = 0;
  std::vector<uint8_t> buffer_;
  std::shared_ptr<Slab> slab_;
  ByteSpan whole_;  // the body, once it is whole
  Sha256Hasher hasher_;
  bool has_message_ = false;
  FramingError error_ = FramingError::kNone;
};

}  // namespace headrace
