// BIP155.
#include "net/wire/address_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

// The table of BIP155; 0 where it fixes no length.
size_t BytesOfNetwork(uint8_t network) {
  constexpr size_t kBytes[] = {0, 4, 16, 10, 32, 32, 16};
  return network < std::size(kBytes) ? kBytes[network] : 0;
}

void Run(ByteSpan input) {
  using Addresses = std::vector<NetworkAddress>;
  // The smallest entry has nine bytes, its value 56, in a vector that doubles, beside an allocation of its own.
  RequireExactDecoder<Addresses>(input, 32, DecodeAddrV2, EncodeAddrV2);
  Addresses addresses;
  if (DecodeAddrV2(input, addresses) != DecodeError::kNone) return;
  HR_CHECK(addresses.size() <= kMaxAddressesPerMessage);
  for (const NetworkAddress& address : addresses) {
    const size_t expected = BytesOfNetwork(address.network);
    HR_CHECK(address.bytes.size() <= kMaxAddressBytes && (expected == 0 || address.bytes.size() == expected));
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint32_t count : {0u, 1u, 8u, 300u}) {
    std::vector<NetworkAddress> addresses;
    for (uint32_t i = 0; i < count; ++i) {
      const uint8_t network = static_cast<uint8_t>(i % 9);
      const size_t size = BytesOfNetwork(network) != 0 ? BytesOfNetwork(network)
                          : i % 2 == 0                 ? i % 40
                                                       : kMaxAddressBytes;
      addresses.push_back({i, uint64_t{1} << (i % 64), network, Bytes(size, static_cast<uint8_t>(i)), 8333});
    }
    EncodeAddrV2(addresses, corpus.emplace_back());
  }
  return corpus;
}

FUZZ_TARGET(addrv2_message, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
