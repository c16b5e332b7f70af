// Undo records: what decodes encodes to the same bytes, whatever the number of coins that the block says it spent.
#include "engine/validation/undo_codec.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint32_t coinbase_inputs = in.U8() % 3;
  std::vector<Coin> spent(coinbase_inputs + in.U8());
  const ByteSpan undo = in.Rest();
  Arena arena(1024);
  const AllocationMeter meter;
  const DecodeError error = DecodeUndo(undo, coinbase_inputs, spent, arena);
  HR_CHECK(meter.peak_bytes() <= 4096 + 8 * undo.size());
  if (error != DecodeError::kNone) return;
  for (uint32_t i = 0; i < coinbase_inputs; ++i) HR_CHECK(spent[i].script.empty() && spent[i].amount == 0);
  Bytes encoded;
  EncodeUndo(spent, coinbase_inputs, encoded);
  HR_CHECK(std::equal(encoded.begin(), encoded.end(), undo.begin(), undo.end()));
  HR_CHECK(arena.used_bytes() <= undo.size());
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint8_t coins : {0, 1, 2, 5, 100, 255}) {
    const Bytes script(coins, 0x51);
    std::vector<Coin> spent(coins + 1);
    for (uint32_t i = 1; i < spent.size(); ++i)
      spent[i] = {kMaxMoney / i, i * 1000, i % 7 == 0, ByteSpan(script).first(i % 40)};
    Bytes& input = corpus.emplace_back(Bytes{1, coins});
    Bytes undo;
    EncodeUndo(spent, 1, undo);
    input.insert(input.end(), undo.begin(), undo.end());
  }
  return corpus;
}

FUZZ_TARGET(undo_record, 20'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
