// A reader of the field's snapshot files as anybody would write it first: byte after byte, one coin after another,
// sharing nothing with the code that writes them. It throws at the first byte that does not fit.
#pragma once

#include <secp256k1.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/primitives/hash256.h"
#include "engine/primitives/outpoint.h"
#include "tests/reference/naive_coin_set.h"

namespace headrace::testing {

class PlainSnapshot {
 public:
  explicit PlainSnapshot(std::vector<uint8_t> file) : file_(std::move(file)) {
    if (Text(4) != "utxo" || Byte() != 0xff) throw std::runtime_error("no snapshot");
    version = static_cast<uint16_t>(Little(2));
    magic = static_cast<uint32_t>(Little(4));
    base = Hash();
    coin_count = Little(8);
    while (at_ < file_.size()) ReadTransaction();
    if (coins.size() != coin_count) throw std::runtime_error("another number of coins");
  }

  uint16_t version = 0;
  uint32_t magic = 0;
  Hash256 base;
  uint64_t coin_count = 0;
  // In the order of the file.
  std::vector<std::pair<OutPoint, NaiveCoin>> coins;

 private:
  uint8_t Byte() {
    if (at_ == file_.size()) throw std::runtime_error("cut off");
    return file_[at_++];
  }
  std::vector<uint8_t> Bytes(uint64_t count) {
    std::vector<uint8_t> bytes;
    for (uint64_t i = 0; i < count; ++i) bytes.push_back(Byte());
    return bytes;
  }
  std::string Text(uint64_t count) {
    const std::vector<uint8_t> bytes = Bytes(count);
    return {bytes.begin(), bytes.end()};
  }
  uint64_t Little(int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; ++i) value |= uint64_t{Byte()} << (8 * i);
    return value;
  }
  Hash256 Hash() { return Hash256::Load(Bytes(32).data()); }
  uint64_t CompactSize() {
    const uint8_t first = Byte();
    if (first < 253) return first;
    return Little(first == 253 ? 2 : first == 254 ? 4 : 8);
  }
  uint64_t Varint() {
    uint64_t value = 0;
    while (true) {
      const uint8_t byte = Byte();
      value = value * 128 + byte % 128;
      if (byte < 128) return value;
      ++value;
    }
  }
  static Amount AmountOf(uint64_t code) {
    if (code == 0) return 0;
    --code;
    const uint64_t zeros = code % 10;
    code /= 10;
    uint64_t value;
    if (zeros < 9) {
      value = code / 9 * 10 + code % 9 + 1;
    } else {
      value = code + 1;
    }
    for (uint64_t i = 0; i < zeros; ++i) value *= 10;
    return static_cast<Amount>(value);
  }
  std::vector<uint8_t> Script() {
    const uint64_t code = Varint();
    std::vector<uint8_t> script;
    const auto add = [&](const std::vector<uint8_t>& bytes) {
      script.insert(script.end(), bytes.begin(), bytes.end());
    };
    if (code == 0) {
      add({0x76, 0xa9, 20}), add(Bytes(20)), add({0x88, 0xac});
    } else if (code == 1) {
      add({0xa9, 20}), add(Bytes(20)), add({0x87});
    } else if (code == 2 || code == 3) {
      add({33, static_cast<uint8_t>(code)}), add(Bytes(32)), add({0xac});
    } else if (code == 4 || code == 5) {
      std::vector<uint8_t> compressed{static_cast<uint8_t>(code - 2)};
      for (const uint8_t byte : Bytes(32)) compressed.push_back(byte);
      secp256k1_pubkey key;
      if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, compressed.data(), 33) != 1) {
        throw std::runtime_error("no point");
      }
      std::vector<uint8_t> whole(65);
      size_t size = 65;
      secp256k1_ec_pubkey_serialize(secp256k1_context_static, whole.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
      add({65}), add(whole), add({0xac});
    } else {
      add(Bytes(code - 6));
    }
    return script;
  }
  void ReadTransaction() {
    const Hash256 txid = Hash();
    const uint64_t count = CompactSize();
    if (count == 0) throw std::runtime_error("a transaction without coins");
    for (uint64_t i = 0; i < count; ++i) {
      const uint32_t index = static_cast<uint32_t>(CompactSize());
      const uint64_t code = Varint();
      NaiveCoin coin;
      coin.height = static_cast<uint32_t>(code / 2);
      coin.is_coinbase = code % 2 == 1;
      coin.amount = AmountOf(Varint());
      coin.script = Script();
      coins.push_back({{txid, index}, std::move(coin)});
    }
  }

  std::vector<uint8_t> file_;
  size_t at_ = 0;
};

}  // namespace headrace::testing
