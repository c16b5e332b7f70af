#include "net/wire/framer.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/limits.h"

namespace headrace {
namespace {

// A buffer that once held a large message is given back rather than kept for small ones: most peers are idle most of the time.
constexpr size_t kKeptBufferBytes = 4 * 1024;

}  // namespace

std::string_view FramingErrorText(FramingError error) {
  switch (error) {
    case FramingError::kNone: return "none";
    case FramingError::kWrongMagic: return "wrong network magic";
    case FramingError::kBadCommand: return "malformed command";
    case FramingError::kOversized: return "oversized message";
    case FramingError::kBadChecksum: return "wrong checksum";
  }
  return "unknown";
}

size_t Framer::Consume(ByteSpan bytes) {
  size_t consumed = 0;
  if (error_ != FramingError::kNone || has_message_) return 0;
  if (header_received_ < MessageHeader::kSerializedBytes) {
    if (header_received_ == 0) ForgetBody();
    consumed = std::min(bytes.size(), MessageHeader::kSerializedBytes - header_received_);
    if (consumed == 0) return 0;
    std::memcpy(header_bytes_ + header_received_, bytes.data(), consumed);
    header_received_ += consumed;
    if (header_received_ < MessageHeader::kSerializedBytes) return consumed;
    ParseHeader();
    if (error_ != FramingError::kNone) return consumed;
    bytes = bytes.subspan(consumed);
  }
  const size_t size = std::min<size_t>(bytes.size(), header_.body_bytes - body_received_);
  AppendBody(bytes.first(size));
  CompleteIfWhole();
  return consumed + size;
}

void Framer::ForgetBody() {
  HR_CHECK(header_received_ == 0 && !has_message_);
  buffer_.clear();
  if (buffer_.capacity() > kKeptBufferBytes) buffer_.shrink_to_fit();
}

void Framer::ParseHeader() {
  header_ = MessageHeader::Load(header_bytes_);
  if (header_.magic != magic_) return Fail(FramingError::kWrongMagic);
  if (header_.body_bytes > kMaxMessageBytes) return Fail(FramingError::kOversized);
  if (!header_.command.is_well_formed()) return Fail(FramingError::kBadCommand);
  slab_ = make_slab_(header_.command, header_.body_bytes);
  HR_CHECK(slab_ == nullptr || slab_->size() == header_.body_bytes);
}

void Framer::AppendBody(ByteSpan bytes) {
  if (bytes.empty()) return;
  hasher_.Write(bytes);
  if (slab_ != nullptr) {
    std::memcpy(slab_->writable().data() + body_received_, bytes.data(), bytes.size());
  } else if (body_received_ == 0 && bytes.size() == header_.body_bytes) {
    whole_ = bytes;
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  body_received_ += bytes.size();
}

void Framer::CompleteIfWhole() {
  if (body_received_ < header_.body_bytes) return;
  const Digest256 digest = hasher_.FinishDouble();
  if (!std::equal(header_.checksum.begin(), header_.checksum.end(), digest.begin())) {
    return Fail(FramingError::kBadChecksum);
  }
  if (slab_ != nullptr) {
    whole_ = slab_->bytes();
  } else if (!buffer_.empty()) {
    whole_ = buffer_;
  }
  has_message_ = true;
}

Message Framer::TakeMessage() {
  HR_CHECK(has_message_);
  // The buffer's memory stays where it is, so that the body lives until the next Consume.
  Message message{header_.command, whole_, std::move(slab_)};
  has_message_ = false;
  header_received_ = 0;
  body_received_ = 0;
  whole_ = {};
  hasher_.Reset();
  return message;
}

MutableByteSpan Framer::DirectTarget() const {
  if (slab_ == nullptr || has_message_ || error_ != FramingError::kNone) return {};
  const MutableByteSpan rest = slab_->writable().subspan(body_received_);
  return rest.size() < kDirectBytesMin ? MutableByteSpan() : rest;
}

void Framer::CommitDirect(size_t size) {
  HR_CHECK(slab_ != nullptr && size <= slab_->size() - body_received_);
  hasher_.Write(slab_->bytes().subspan(body_received_, size));
  body_received_ += size;
  CompleteIfWhole();
}

}  // namespace headrace
