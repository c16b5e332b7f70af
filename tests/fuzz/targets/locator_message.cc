// getheaders and getblocks.
#include "engine/base/limits.h"
#include "net/wire/chain_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  RequireExactDecoder<LocatorMessage>(input, 8, DecodeLocator, EncodeLocator);
  LocatorMessage message;
  if (DecodeLocator(input, message) == DecodeError::kNone) HR_CHECK(message.locator.size() <= kMaxLocatorHashes);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const size_t hashes : {0u, 1u, 10u, kMaxLocatorHashes, kMaxLocatorHashes + 1}) {
    LocatorMessage message{70016, std::vector<Hash256>(hashes), Hash256(Sha256({}))};
    for (size_t i = 0; i < hashes; ++i) message.locator[i].bytes[i % 32] = static_cast<uint8_t>(i);
    EncodeLocator(message, corpus.emplace_back());
  }
  return corpus;
}

FUZZ_TARGET(locator_message, 20'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
