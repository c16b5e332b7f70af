#include "net/wire/version_message.h"
#include "engine/primitives/byte_writer.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  VersionMessage message;
  const AllocationMeter meter;
  const DecodeError error = DecodeVersion(input, message);
  HR_CHECK(meter.peak_bytes() <= kAllocationGround);
  if (error != DecodeError::kNone) return;
  HR_CHECK(message.user_agent.size() <= kMaxUserAgentBytes);
  Bytes encoded;
  EncodeVersion(message, encoded);
  // The flag may be missing, any byte but zero is yes, and what follows belongs to future versions: the rest is the
  // same.
  HR_CHECK(input.size() + 1 >= encoded.size());
  HR_CHECK(std::equal(encoded.begin(), encoded.end() - 1, input.begin()));
  const bool says_no = input.size() >= encoded.size() && input[encoded.size() - 1] == 0;
  HR_CHECK(message.relay_transactions == !says_no);
  VersionMessage again;
  HR_CHECK(DecodeVersion(encoded, again) == DecodeError::kNone && again == message);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const size_t agent : {0u, 20u, 252u, 253u, kMaxUserAgentBytes, kMaxUserAgentBytes + 1}) {
    VersionMessage message;
    message.protocol_version = 70016;
    message.services = 1033;
    message.time_s = 1'700'000'000;
    message.receiver.ip[10] = message.receiver.ip[11] = 0xff;
    message.receiver.port = 8333;
    message.nonce = 0x0123456789abcdef;
    message.user_agent.assign(agent, '/');
    message.start_height = 840'000;
    message.relay_transactions = agent % 2 == 0;
    EncodeVersion(message, corpus.emplace_back());
    corpus.emplace_back(corpus.back()).pop_back();
    ByteWriter(corpus.emplace_back(corpus.front())).U64(7);
  }
  return corpus;
}

FUZZ_TARGET(version_message, 30'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
