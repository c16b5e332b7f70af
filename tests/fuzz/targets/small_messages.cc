// ping and pong, sendcmpct, feefilter, and those without a body: the first byte says which.
#include "net/wire/small_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  if (input.empty()) return;
  const ByteSpan body = input.subspan(1);
  switch (input[0] % 4) {
    case 0:
      RequireExactDecoder<uint64_t>(body, 0, DecodeNonce, EncodeNonce);
      break;
    case 1:
      RequireExactDecoder<SendCompactMessage>(body, 0, DecodeSendCompact, EncodeSendCompact);
      break;
    case 2:
      RequireExactDecoder<int64_t>(body, 0, DecodeFeeFilter, EncodeFeeFilter);
      break;
    default:
      HR_CHECK((DecodeEmpty(body) == DecodeError::kNone) == body.empty());
      break;
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus{{0}, {1}, {2}, {3}};
  EncodeNonce(0x1122334455667788, corpus[0]);
  EncodeSendCompact({true, 2}, corpus[1]);
  EncodeFeeFilter(1000, corpus[2]);
  return corpus;
}

FUZZ_TARGET(small_messages, 50'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
