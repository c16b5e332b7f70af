// What a window comes to for a store of keys and values: coins created and spent within it never reach the store, the
// rest is two lists sorted by key, as stores of sorted keys like it best. And the value that such a store keeps for a
// coin.
//
// Threads: one at a time; the lists are sorted on the executor. Memory is kept from window to window.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "engine/base/arena.h"
#include "engine/base/bytes.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/executor.h"

namespace headrace::bench {

// The 36 bytes of an outpoint, with the first eight as a number for sorting.
struct WindowKey {
  uint64_t prefix;
  const uint8_t* bytes;

  bool operator==(const WindowKey& other) const {
    return prefix == other.prefix && std::memcmp(bytes, other.bytes, OutPoint::kSerializedBytes) == 0;
  }
  bool operator<(const WindowKey& other) const {
    return prefix != other.prefix ? prefix < other.prefix
                                  : std::memcmp(bytes, other.bytes, OutPoint::kSerializedBytes) < 0;
  }
};

struct NetSpend {
  WindowKey key;
  uint32_t block;
  uint32_t input;
};

struct NetCreation {
  WindowKey key;
  uint32_t block;
  uint32_t output;
  bool is_coinbase;
};

class NetWindow {
 public:
  // Fills `spent` of inputs whose coins are of the window itself. False when a coin is created or spent twice.
  bool Resolve(std::span<WindowBlock> window, Executor& executor);

  std::span<const NetSpend> spends() const { return spends_; }
  std::span<const NetCreation> creations() const { return creations_; }

 private:
  void List(std::span<WindowBlock> window);
  // Takes what both lists have out of them.
  bool Cancel(std::span<WindowBlock> window);

  std::vector<NetSpend> spends_;
  std::vector<NetCreation> creations_;
  Arena keys_{1 << 20};
};

Coin CoinOf(const NetCreation& creation, std::span<const WindowBlock> window);

// A value: height and coinbase flag, amount, script without its fixed bytes; some 30 bytes. The same forms as
// headrace's records.
inline constexpr size_t kCoinValueBytesMax = 20 + 10'000 + 5;
size_t EncodeCoinValue(const Coin& coin, uint8_t* out);
// The script is restored into `arena` or, in the second form, into `script`. False when the bytes are no value.
[[nodiscard]] bool DecodeCoinValue(ByteSpan value, Arena& arena, Coin& coin);
[[nodiscard]] bool DecodeCoinValue(ByteSpan value, std::vector<uint8_t>& script, Coin& coin);

}  // namespace headrace::bench
