#include "engine/base/limits.h"
#include "net/wire/chain_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  using Headers = std::vector<BlockHeader>;
  RequireExactDecoder<Headers>(input, 4, DecodeHeaders, EncodeHeaders);
  Headers headers;
  if (DecodeHeaders(input, headers) == DecodeError::kNone) HR_CHECK(headers.size() <= kMaxHeadersPerMessage);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint32_t count : {0u, 1u, 3u, 253u, kMaxHeadersPerMessage, kMaxHeadersPerMessage + 1}) {
    std::vector<BlockHeader> headers(count);
    for (uint32_t i = 0; i < count; ++i) {
      headers[i] = {static_cast<int32_t>(i), Hash256(), Hash256(), 1'600'000'000 + i, 0x207fffff, i * i};
      if (i > 0) headers[i].previous = headers[i - 1].Hash();
    }
    EncodeHeaders(headers, corpus.emplace_back());
  }
  return corpus;
}

FUZZ_TARGET(headers_message, 6'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
