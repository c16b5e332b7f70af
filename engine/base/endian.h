// Loads and stores of fixed-width integers at any alignment. The wire and the files are little-endian unless a name
// says otherwise.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace headrace {

static_assert(std::endian::native == std::endian::little, "headrace runs on little-endian machines");

template <typename T>
T LoadLittle(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <typename T>
void StoreLittle(uint8_t* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

inline uint16_t LoadLittle16(const uint8_t* at) { return LoadLittle<uint16_t>(at); }
inline uint32_t LoadLittle32(const uint8_t* at) { return LoadLittle<uint32_t>(at); }
inline uint64_t LoadLittle64(const uint8_t* at) { return LoadLittle<uint64_t>(at); }
inline uint16_t LoadBig16(const uint8_t* at) { return __builtin_bswap16(LoadLittle16(at)); }
inline uint32_t LoadBig32(const uint8_t* at) { return __builtin_bswap32(LoadLittle32(at)); }
inline uint64_t LoadBig64(const uint8_t* at) { return __builtin_bswap64(LoadLittle64(at)); }
inline void StoreBig16(uint8_t* at, uint16_t value) { StoreLittle(at, __builtin_bswap16(value)); }
inline void StoreBig32(uint8_t* at, uint32_t value) { StoreLittle(at, __builtin_bswap32(value)); }
inline void StoreBig64(uint8_t* at, uint64_t value) { StoreLittle(at, __builtin_bswap64(value)); }

}  // namespace headrace
