// Coin records, compressed scripts and varints. Bytes that decode are those that encoding the coin gives; and a coin
// comes back from its record as it was.
#include "storage/coins/coin_record.h"

#include <algorithm>

#include "engine/crypto/signing.h"
#include "engine/script/script_builder.h"
#include "tests/engine/script/random_spend.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"

namespace headrace::fuzz {
namespace {

void CheckVarint(ByteSpan bytes) {
  uint64_t value;
  const size_t taken = ReadVarint(bytes, value);
  if (taken == 0) return;
  uint8_t written[10];
  HR_CHECK(taken <= 10 && WriteVarint(value, written) == taken && IsSame(bytes.first(taken), {written, taken}));
}

void CheckRecord(ByteSpan bytes) {
  CoinRecord record;
  if (!DecodeRecord(bytes, record)) return;
  HR_CHECK(record.size <= bytes.size() && record.size % kRecordAlignment == 0 && record.size <= kRecordBytesMax);
  Arena arena;
  Coin coin;
  if (!RestoreCoin(record, arena, coin)) return;
  HR_CHECK(IsMoney(coin.amount) && coin.script.size() == record.script.script_size);
  Bytes encoded(kRecordBytesMax);
  const size_t size = EncodeRecord(record.outpoint, LoadLittle32(record.outpoint + 32), coin, encoded.data());
  // A script may have been written in a longer form than the encoder would choose; then it is only not longer.
  CoinRecord again;
  HR_CHECK(size <= record.size && DecodeRecord(ByteSpan(encoded).first(size), again));
  Coin same;
  HR_CHECK(RestoreCoin(again, arena, same) && IsSame(same.script, coin.script) && same.amount == coin.amount);
  HR_CHECK(same.height == coin.height && same.is_coinbase == coin.is_coinbase);
}

void CheckCoin(FuzzInput& in) {
  uint8_t outpoint[36] = {};
  const ByteSpan name = in.Take(in.U8() % 37);
  std::copy(name.begin(), name.end(), outpoint);
  Coin coin;
  coin.height = in.U32() >> (in.U8() % 32);
  coin.is_coinbase = in.Flag();
  coin.amount = static_cast<Amount>(in.U64() >> (in.U8() % 64)) % (kMaxMoney + 1);
  if (in.Flag()) coin.amount -= coin.amount % 1'000'000;
  if (coin.amount < 0) coin.amount = 0;
  const ByteSpan rest = in.Rest();
  coin.script = rest.first(std::min<size_t>(rest.size(), kMaxScriptBytes));
  Bytes encoded(kRecordBytesMax, 0xcc);
  const size_t size = EncodeRecord(outpoint, LoadLittle32(outpoint + 32), coin, encoded.data());
  HR_CHECK(size <= kRecordBytesMax && size % kRecordAlignment == 0);
  // Exactly sized, so that nothing behind the record is read.
  const Bytes exact(encoded.begin(), encoded.begin() + static_cast<ptrdiff_t>(size));
  CoinRecord record;
  HR_CHECK(DecodeRecord(exact, record) && record.size == size && IsSame({record.outpoint, 36}, outpoint));
  Arena arena;
  Coin same;
  HR_CHECK(RestoreCoin(record, arena, same) && IsSame(same.script, coin.script) && same.amount == coin.amount);
  HR_CHECK(same.height == coin.height && same.is_coinbase == coin.is_coinbase);
  for (size_t cut = 0; cut < size; cut += 1 + size / 16) {
    const Bytes shorter(exact.begin(), exact.begin() + static_cast<ptrdiff_t>(cut));
    HR_CHECK(!DecodeRecord(shorter, record));
  }
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  switch (in.U8() % 3) {
    case 0:
      return CheckVarint(in.Rest());
    case 1:
      return CheckRecord(in.Rest());
    default:
      return CheckCoin(in);
  }
}

std::vector<Bytes> Corpus() {
  testing::Random random(4);
  std::vector<Bytes> scripts;
  for (int i = 0; i < 12; ++i) scripts.push_back(testing::RandomOutputScript(random));
  for (uint8_t i = 1; i < 4; ++i) {
    for (const bool is_compressed : {false, true}) {
      scripts.push_back(ScriptBuilder().Data(PublicKeyOf(SecretKey{i}, is_compressed)).Op(Opcode::kCheckSig).Take());
    }
  }
  scripts.push_back(ScriptBuilder()
                        .Op(Opcode::kDup)
                        .Op(Opcode::kHash160)
                        .Data(Bytes(20, 3))
                        .Op(Opcode::kEqualVerify)
                        .Op(Opcode::kCheckSig)
                        .Take());
  scripts.push_back(Bytes(10'000, 0x51));
  std::vector<Bytes> corpus;
  for (const Bytes& script : scripts) {
    const uint8_t txid[32] = {1, 2, 3};
    Bytes record(kRecordBytesMax);
    record.resize(
        EncodeRecord(txid, 7, {static_cast<Amount>(script.size()) * 100'000, 500'000, true, script}, record.data()));
    corpus.emplace_back(Bytes{1}).insert(corpus.back().end(), record.begin(), record.end());
    corpus.emplace_back(Bytes{2, 4, 9, 9, 9, 9, 0, 1, 2, 0, 0, 1, 0, 0xf2, 5, 0x2a, 1, 0, 0, 0, 0, 1})
        .insert(corpus.back().end(), script.begin(), script.end());
  }
  corpus.push_back({0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1});
  corpus.push_back({0, 0x80, 0});
  return corpus;
}

FUZZ_TARGET(coin_record, 15'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
