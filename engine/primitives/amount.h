// Amounts in satoshi.
#pragma once

#include <cstdint>

namespace headrace {

using Amount = int64_t;

inline constexpr Amount kCoin = 100'000'000;
// No amount, and no sum of amounts that a rule looks at, may exceed this (MAX_MONEY).
inline constexpr Amount kMaxMoney = 21'000'000 * kCoin;

constexpr bool IsMoney(Amount amount) { return amount >= 0 && amount <= kMaxMoney; }

}  // namespace headrace
