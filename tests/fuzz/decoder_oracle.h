// What every strict decoder of a message owes: bytes that it accepts are exactly what the encoder makes of the value,
// and its memory grows with the bytes that came, not with counts that they claim.
#pragma once

#include "engine/primitives/decode_error.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {

// Buffers and small things that have nothing to do with the input's size.
inline constexpr size_t kAllocationGround = 4096;

// `Message` is what `decode(bytes, message)` fills and `encode(message, out)` writes. At most `growth` bytes of memory
// for a byte of input.
template <typename Message, typename Decode, typename Encode>
void RequireExactDecoder(ByteSpan input, size_t growth, Decode decode, Encode encode) {
  const AllocationMeter meter;
  Message message{};
  const DecodeError error = decode(input, message);
  HR_CHECK(meter.peak_bytes() <= kAllocationGround + growth * input.size());
  if (error != DecodeError::kNone) {
    HR_CHECK(!DecodeErrorText(error).empty());
    return;
  }
  Bytes encoded;
  encode(message, encoded);
  HR_CHECK(encoded.size() == input.size() && std::equal(encoded.begin(), encoded.end(), input.begin()));
  // A decoder that is given a message in use forgets what it held.
  HR_CHECK(decode(input, message) == DecodeError::kNone);
  Bytes again;
  encode(message, again);
  HR_CHECK(again == encoded);
}

}  // namespace headrace::fuzz
