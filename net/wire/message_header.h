// The 24 bytes before every message: network magic, command, body size, checksum.
//
// Values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"

namespace headrace {

// The four bytes that tell one network's messages (and block files) from another's, in wire order.
using NetworkMagic = std::array<uint8_t, 4>;

// A message's name: up to twelve characters, padded with zeros.
struct Command {
  static constexpr size_t kBytes = 12;
  std::array<char, kBytes> bytes{};

  constexpr Command() = default;
  constexpr explicit Command(std::string_view name) {
    for (size_t i = 0; i < name.size() && i < kBytes; ++i) bytes[i] = name[i];
  }
  bool operator==(const Command&) const = default;

  // Printable characters, then only zeros.
  bool is_well_formed() const;
  // The name without its padding; only for well-formed ones.
  std::string_view name() const { return {bytes.data(), strnlen(bytes.data(), kBytes)}; }
};

struct MessageHeader {
  static constexpr size_t kSerializedBytes = 24;

  NetworkMagic magic{};
  Command command;
  uint32_t body_bytes = 0;
  std::array<uint8_t, 4> checksum{};

  // `at` points to 24 bytes.
  static MessageHeader Load(const uint8_t* at);
  void Store(uint8_t* at) const;
};

// The first four bytes of the body's double SHA-256.
std::array<uint8_t, 4> MessageChecksum(ByteSpan body);

}  // namespace headrace
