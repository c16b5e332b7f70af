#include "engine/primitives/decode_error.h"

namespace headrace {

std::string_view DecodeErrorText(DecodeError error) {
  switch (error) {
    case DecodeError::kNone: return "no error";
    case DecodeError::kTruncated: return "truncated";
    case DecodeError::kNonCanonicalCompactSize: return "non-canonical compact size";
    case DecodeError::kOversizedCount: return "count or length above the limit";
    case DecodeError::kSuperfluousWitness: return "superfluous witness record";
    case DecodeError::kUnknownTransactionFlags: return "unknown optional transaction data";
    case DecodeError::kTrailingBytes: return "trailing bytes";
    case DecodeError::kIndexOutOfRange: return "an index beyond the end";
    case DecodeError::kNoTransactions: return "no transactions";
  }
  return "unknown";
}

}  // namespace headrace
