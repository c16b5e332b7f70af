// CRC-32C by table: the path of processors without the instruction, and the measure for it.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

// Bit-reflected Castagnoli polynomial, as RFC 3720 has it.
inline constexpr uint32_t kCastagnoliReflected = 0x82f63b78;

constexpr std::array<uint32_t, 256> MakeCrc32cTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = remainder >> 1 ^ ((remainder & 1) != 0 ? kCastagnoliReflected : 0);
    table[byte] = remainder;
  }
  return table;
}

inline constexpr std::array<uint32_t, 256> kCrc32cTable = MakeCrc32cTable();

inline uint32_t Crc32cByTable(ByteSpan bytes, uint32_t seed) {
  uint32_t sum = ~seed;
  for (uint8_t byte : bytes) sum = sum >> 8 ^ kCrc32cTable[(sum ^ byte) & 0xff];
  return ~sum;
}

}  // namespace headrace
