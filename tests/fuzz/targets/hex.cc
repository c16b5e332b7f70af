// Hex text as bytes, as a hash in display order, and as a number.
#include <algorithm>
#include <cctype>

#include "engine/base/hex.h"
#include "engine/primitives/uint256.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

bool IsHex(std::string_view text) { return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

void Run(ByteSpan input) {
  const std::string_view text = AsText(input);
  const auto bytes = HexDecode(text);
  HR_CHECK(bytes.has_value() == (IsHex(text) && text.size() % 2 == 0));
  if (bytes) HR_CHECK(HexEncode(*bytes) == Lower(text));
  HR_CHECK(HexDecode(HexEncode(input)) == Bytes(input.begin(), input.end()));

  const auto hash = Hash256::FromHex(text);
  HR_CHECK(hash.has_value() == (IsHex(text) && text.size() == 64));
  if (hash) {
    HR_CHECK(hash->ToHex() == Lower(text));
    // Display order is the other way round.
    HR_CHECK(std::equal(hash->bytes.rbegin(), hash->bytes.rend(), bytes->begin(), bytes->end()));
  }
  const auto number = Uint256::FromHex(text);
  if (text.size() > 64 || !IsHex(text)) HR_CHECK(!number.has_value());
  if (!number) return;
  HR_CHECK(number->ToHex() == std::string(64 - text.size(), '0') + Lower(text));
  HR_CHECK(Uint256::FromHex(number->ToHex()) == number && Uint256::FromHash(number->ToHash()) == *number);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const std::string& text :
       {std::string(), std::string("00"), std::string("aBcDeF0123456789"), std::string(64, 'f'), std::string(63, '1'),
        std::string(65, '0'), std::string("0x12"), std::string("g0")}) {
    corpus.emplace_back(text.begin(), text.end());
  }
  corpus.push_back(Bytes(AsBytes("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f").begin(),
                         AsBytes("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f").end()));
  return corpus;
}

FUZZ_TARGET(hex, 25'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
