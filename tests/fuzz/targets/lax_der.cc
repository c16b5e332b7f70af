// Signatures as the network read them before BIP66: the lax reader against a recursive-descent twin by the format's
// words, and against strict DER, of which it takes everything.
#include <optional>

#include "engine/crypto/lax_der.h"
#include "engine/crypto/signature.h"
#include "engine/crypto/signing.h"
#include "engine/script/signature_encoding.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

// A length in short or long form, of which leading zeros are skipped; what a machine word cannot hold is refused.
std::optional<uint64_t> PlainLength(Bytes& rest) {
  if (rest.empty()) return std::nullopt;
  const uint8_t first = rest[0];
  rest.erase(rest.begin());
  if ((first & 0x80) == 0) return first;
  const size_t width = first - 0x80u;
  if (width > rest.size()) return std::nullopt;
  Bytes digits(rest.begin(), rest.begin() + width);
  rest.erase(rest.begin(), rest.begin() + width);
  while (!digits.empty() && digits[0] == 0) digits.erase(digits.begin());
  if (digits.size() >= 4) return std::nullopt;
  uint64_t length = 0;
  for (const uint8_t digit : digits) length = length * 256 + digit;
  return length;
}

std::optional<Bytes> PlainInteger(Bytes& rest) {
  if (rest.empty() || rest[0] != 0x02) return std::nullopt;
  rest.erase(rest.begin());
  const auto length = PlainLength(rest);
  if (!length || *length > rest.size()) return std::nullopt;
  Bytes number(rest.begin(), rest.begin() + *length);
  rest.erase(rest.begin(), rest.begin() + *length);
  while (!number.empty() && number[0] == 0) number.erase(number.begin());
  return number;
}

std::optional<CompactSignature> PlainRead(ByteSpan der) {
  Bytes rest(der.begin(), der.end());
  if (rest.empty() || rest[0] != 0x30) return std::nullopt;
  rest.erase(rest.begin());
  // The sequence's length is read past and not believed.
  if (rest.empty()) return std::nullopt;
  const uint8_t first = rest[0];
  rest.erase(rest.begin());
  if ((first & 0x80) != 0) {
    const size_t width = first - 0x80u;
    if (width > rest.size()) return std::nullopt;
    rest.erase(rest.begin(), rest.begin() + width);
  }
  const auto r = PlainInteger(rest);
  if (!r) return std::nullopt;
  const auto s = PlainInteger(rest);
  if (!s) return std::nullopt;
  CompactSignature signature{};
  if (r->size() > 32 || s->size() > 32) return signature;
  std::copy(r->begin(), r->end(), signature.begin() + 32 - r->size());
  std::copy(s->begin(), s->end(), signature.begin() + 64 - s->size());
  return signature;
}

void Run(ByteSpan input) {
  const auto signature = ReadLaxDer(input);
  HR_CHECK(signature == PlainRead(input));
  Bytes with_type(input.begin(), input.end());
  with_type.push_back(1);
  if (IsStrictDer(with_type)) {
    HR_CHECK(signature.has_value());
    (void)IsLowS(input);
  }
  static const Bytes key = PublicKeyOf(SecretKey{1}, true);
  static const Digest256 message = Sha256(Bytes{1, 2, 3});
  static const Bytes good = SignEcdsa(SecretKey{1}, message);
  // There are two signatures of one nonce, and nothing else verifies that a mutation of one could hit.
  if (VerifyEcdsa(key, input, message)) {
    HR_CHECK(signature.has_value());
    const auto original = ReadLaxDer(good);
    HR_CHECK(std::equal(original->begin(), original->begin() + 32, signature->begin()));
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (uint8_t i = 0; i < 6; ++i) corpus.push_back(SignEcdsa(SecretKey{1}, Sha256(Bytes{i, 2, 3})));
  corpus.push_back(SignEcdsa(SecretKey{1}, Sha256(Bytes{1, 2, 3})));
  const Bytes& good = corpus.back();
  Bytes long_form{0x30, 0x82, 0, static_cast<uint8_t>(good.size() - 2)};
  long_form.insert(long_form.end(), good.begin() + 2, good.end());
  corpus.push_back(long_form);
  corpus.push_back({0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01});
  corpus.push_back({0x30, 0x80, 0x02, 0x84, 0, 0, 0, 1, 1, 0x02, 0x00});
  return corpus;
}

FUZZ_TARGET(lax_der, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
