#include "bench/storage/coins/net_window.h"

#include <algorithm>
#include <cstring>

#include "storage/coins/script_compression.h"
#include "storage/coins/window_ops.h"

namespace headrace::bench {
namespace {

WindowKey KeyAt(const uint8_t* bytes) { return {__builtin_bswap64(LoadLittle64(bytes)), bytes}; }

// All but the script itself.
bool DecodeParts(ByteSpan value, Coin& coin, CompressedScript& script) {
  uint64_t height_code;
  size_t taken = ReadVarint(value, height_code);
  if (taken == 0 || height_code >> 33 != 0) return false;
  value = value.subspan(taken);
  uint64_t amount;
  taken = ReadVarint(value, amount);
  if (taken == 0) return false;
  value = value.subspan(taken);
  coin.amount = static_cast<Amount>(amount);
  coin.height = static_cast<uint32_t>(height_code >> 1);
  coin.is_coinbase = (height_code & 1) != 0;
  return ReadCompressedScript(value, script) == value.size() && !value.empty();
}

}  // namespace

void NetWindow::List(std::span<WindowBlock> window) {
  spends_.clear();
  creations_.clear();
  keys_.Reset();
  for (uint32_t number = 0; number < window.size(); ++number) {
    ForEachCoinOp(*window[number].columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t item) {
      // A prevout stands in its block as a key; a created coin's key is put together.
      if (kind == CoinOp::kSpend) {
        spends_.push_back({KeyAt(txid), number, item});
        return;
      }
      uint8_t* const key = keys_.Allocate(OutPoint::kSerializedBytes);
      std::memcpy(key, txid, 32);
      StoreLittle(key + 32, index);
      creations_.push_back({KeyAt(key), number, item, kind == CoinOp::kCreateInCoinbase});
    });
  }
}

bool NetWindow::Cancel(std::span<WindowBlock> window) {
  size_t spends_left = 0;
  size_t creations_left = 0;
  size_t spend = 0;
  for (size_t at = 0; at < creations_.size(); ++at) {
    const NetCreation creation = creations_[at];
    if (at + 1 < creations_.size() && creations_[at + 1].key == creation.key) return false;
    while (spend < spends_.size() && spends_[spend].key < creation.key) spends_[spends_left++] = spends_[spend++];
    if (spend == spends_.size() || !(spends_[spend].key == creation.key)) {
      creations_[creations_left++] = creation;
      continue;
    }
    WindowBlock& block = window[spends_[spend].block];
    Coin coin = CoinOf(creation, window);
    coin.script = block.arena->Copy(coin.script);
    block.spent[spends_[spend++].input] = coin;
    if (spend < spends_.size() && spends_[spend].key == creation.key) return false;
  }
  while (spend < spends_.size()) spends_[spends_left++] = spends_[spend++];
  spends_.resize(spends_left);
  creations_.resize(creations_left);
  return true;
}

bool NetWindow::Resolve(std::span<WindowBlock> window, Executor& executor) {
  List(window);
  executor.ParallelFor(2, 1, [&](size_t begin, size_t end) {
    for (size_t list = begin; list < end; ++list) {
      const auto by_key = [](const auto& a, const auto& b) { return a.key < b.key; };
      if (list == 0) std::sort(spends_.begin(), spends_.end(), by_key);
      if (list == 1) std::sort(creations_.begin(), creations_.end(), by_key);
    }
  });
  return Cancel(window);
}

Coin CoinOf(const NetCreation& creation, std::span<const WindowBlock> window) {
  const WindowBlock& block = window[creation.block];
  return {block.columns->amount[creation.output], block.height, creation.is_coinbase,
          block.columns->script_pubkey[creation.output].In(block.columns->raw)};
}

size_t EncodeCoinValue(const Coin& coin, uint8_t* out) {
  size_t size = WriteVarint(uint64_t{coin.height} * 2 + (coin.is_coinbase ? 1 : 0), out);
  size += WriteVarint(static_cast<uint64_t>(coin.amount), out + size);
  return size + CompressScript(coin.script, out + size);
}

bool DecodeCoinValue(ByteSpan value, Arena& arena, Coin& coin) {
  CompressedScript script;
  if (!DecodeParts(value, coin, script)) return false;
  uint8_t* const at = arena.Allocate(script.script_size);
  coin.script = {at, script.script_size};
  return DecompressScript(script, at);
}

bool DecodeCoinValue(ByteSpan value, std::vector<uint8_t>& buffer, Coin& coin) {
  CompressedScript script;
  if (!DecodeParts(value, coin, script)) return false;
  buffer.resize(script.script_size);
  coin.script = buffer;
  return DecompressScript(script, buffer.data());
}

}  // namespace headrace::bench
