// Why bytes are not what they should be.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

enum class DecodeError : uint8_t {
  kNone,
  kTruncated,
  kNonCanonicalCompactSize,
  kOversizedCount,
  kSuperfluousWitness,
  kUnknownTransactionFlags,
  kTrailingBytes,
  kIndexOutOfRange,
  kNoTransactions,
};

// A few words for log and error texts.
std::string_view DecodeErrorText(DecodeError error);

}  // namespace headrace
