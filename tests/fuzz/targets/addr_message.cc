#include "net/wire/address_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  using Addresses = std::vector<TimedAddress>;
  RequireExactDecoder<Addresses>(input, 6, DecodeAddr, EncodeAddr);
  Addresses addresses;
  if (DecodeAddr(input, addresses) == DecodeError::kNone) HR_CHECK(addresses.size() <= kMaxAddressesPerMessage);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint32_t count : {0u, 1u, 5u, 253u, kMaxAddressesPerMessage, kMaxAddressesPerMessage + 1}) {
    std::vector<TimedAddress> addresses(count);
    for (uint32_t i = 0; i < count; ++i) {
      addresses[i] = {i, {i % 11, {}, static_cast<uint16_t>(8333 + i)}};
      addresses[i].address.ip.fill(static_cast<uint8_t>(i));
    }
    EncodeAddr(addresses, corpus.emplace_back());
  }
  return corpus;
}

FUZZ_TARGET(addr_message, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
