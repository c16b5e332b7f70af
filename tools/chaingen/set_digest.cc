#include "tools/chaingen/set_digest.h"

#include <algorithm>

#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/parallel.h"

namespace headrace::chaingen {
namespace {

// Outpoint, height and coinbase flag in one number, amount, script.
void SerializeCoin(const UnspentOutput& coin, std::vector<uint8_t>& out) {
  out.clear();
  uint8_t outpoint[OutPoint::kSerializedBytes];
  coin.outpoint.Store(outpoint);
  ByteWriter writer(out);
  writer.Bytes(outpoint);
  writer.U32(coin.height << 1 | (coin.is_coinbase ? 1 : 0));
  writer.U64(static_cast<uint64_t>(coin.amount));
  writer.VarBytes(coin.script);
}

MuHash MuHashOf(const std::vector<UnspentOutput>& coins, uint32_t threads) {
  constexpr size_t kCoinsPerPart = 4096;
  std::vector<MuHash> parts((coins.size() + kCoinsPerPart - 1) / kCoinsPerPart);
  ParallelFor(parts.size(), threads, [&](size_t part) {
    std::vector<uint8_t> bytes;
    const size_t end = std::min(coins.size(), (part + 1) * kCoinsPerPart);
    for (size_t i = part * kCoinsPerPart; i < end; ++i) {
      SerializeCoin(coins[i], bytes);
      parts[part].Insert(bytes);
    }
  });
  MuHash whole;
  for (const MuHash& part : parts) whole.Combine(part);
  return whole;
}

}  // namespace

void SetDigester::Add(std::vector<UnspentOutput>& part) {
  std::sort(part.begin(), part.end(),
            [](const UnspentOutput& a, const UnspentOutput& b) { return a.outpoint < b.outpoint; });
  digest_.txouts += part.size();
  std::vector<uint8_t> bytes;
  for (const UnspentOutput& coin : part) {
    digest_.total_amount += coin.amount;
    SerializeCoin(coin, bytes);
    hasher_.Write(bytes);
  }
  muhash_.Combine(MuHashOf(part, threads_));
}

SetDigest SetDigester::Finish() {
  digest_.hash_serialized_3 = Hash256(hasher_.FinishDouble());
  digest_.muhash = Hash256(muhash_.Finish());
  return digest_;
}

SetDigest DigestSet(std::vector<UnspentOutput> coins, uint32_t threads) {
  SetDigester digester(threads);
  digester.Add(coins);
  return digester.Finish();
}

}  // namespace headrace::chaingen
