// Who may call: an Authorization field is accepted exactly when it decodes to a user and a password of the list; lines
// of -rpcauth are taken when they have their form.
#include "net/rpc/rpc_authentication.h"

#include "engine/base/hex.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

constexpr std::string_view kUser = "alice";
constexpr std::string_view kPassword = "pass:word";

void CheckField(std::string_view field) {
  RpcAuthentication authentication;
  const std::string hash = PasswordHmacHex("salt", kPassword);
  HR_CHECK(authentication.AddHashed(std::string(kUser) + ":salt$" + hash).ok());
  const std::string expected = BasicAuthorization(std::string(kUser) + ":" + std::string(kPassword));
  HR_CHECK(authentication.Accepts(expected));
  // Base64 may leave its padding out or say it otherwise; everything else is one text.
  const bool is_accepted = authentication.Accepts(field);
  if (field == expected) HR_CHECK(is_accepted);
  if (!is_accepted) return;
  HR_CHECK(field.size() + 4 >= expected.size() && field.starts_with("Basic "));
}

void CheckPair(ByteSpan user, ByteSpan password) {
  const std::string name(AsText(user));
  const std::string secret(AsText(password));
  if (name.find_first_of(":$") != std::string::npos) return;
  RpcAuthentication authentication;
  HR_CHECK(authentication.AddHashed(name + ":s$" + PasswordHmacHex("s", secret)).ok());
  HR_CHECK(authentication.Accepts(BasicAuthorization(name + ":" + secret)));
  HR_CHECK(!authentication.Accepts(BasicAuthorization(name + ":" + secret + "x")));
  HR_CHECK(!authentication.Accepts(BasicAuthorization("x" + name + ":" + secret)));
}

// USER:SALT$HASH with one colon, one dollar behind it, and 64 hex digits.
void CheckLine(std::string_view line) {
  const size_t colon = line.find(':');
  const size_t dollar = line.find('$');
  bool is_good = colon != line.npos && dollar != line.npos && colon < dollar && line.rfind(':') == colon &&
                 line.rfind('$') == dollar && line.size() - dollar - 1 == 64;
  for (size_t i = dollar + 1; is_good && i < line.size(); ++i)
    is_good = std::isxdigit(static_cast<unsigned char>(line[i]));
  RpcAuthentication authentication;
  HR_CHECK(authentication.AddHashed(line).ok() == is_good);
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  switch (in.U8() % 3) {
    case 0:
      return CheckField(AsText(in.Rest()));
    case 1:
      return CheckLine(AsText(in.Rest()));
    default: {
      const ByteSpan user = in.Take(in.U8() % 16);
      return CheckPair(user, in.Rest());
    }
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  const std::string field = BasicAuthorization(std::string(kUser) + ":" + std::string(kPassword));
  const std::string line = "bob:0123$" + std::string(64, 'f');
  for (const auto& [form, text] : {std::pair<uint8_t, std::string>{0, field},
                                   {0, field.substr(0, field.size() - 2)},
                                   {0, "Basic "},
                                   {1, line},
                                   {1, line + "0"},
                                   {2, std::string("\x04user:pw", 8)}}) {
    corpus.emplace_back(Bytes{form}).insert(corpus.back().end(), text.begin(), text.end());
  }
  return corpus;
}

FUZZ_TARGET(rpc_authentication, 15'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
