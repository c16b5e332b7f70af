#include "net/rpc/rpc_authentication.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "absl/strings/escaping.h"
#include "engine/base/check.h"
#include "engine/base/hex.h"
#include "engine/crypto/sha256.h"

namespace headrace {
namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kHmacHexDigits = 64;
constexpr std::string_view kScheme = "Basic ";

// Digests have one length, so that neither content nor length of the secret decides how long this takes.
bool IsSame(std::string_view a, std::string_view b) {
  const Digest256 digest_a = Sha256(AsBytes(a));
  const Digest256 digest_b = Sha256(AsBytes(b));
  return CRYPTO_memcmp(digest_a.data(), digest_b.data(), digest_a.size()) == 0;
}

}  // namespace

std::string PasswordHmacHex(std::string_view salt, std::string_view password) {
  std::array<uint8_t, 32> mac;
  unsigned size = 0;
  const ByteSpan message = AsBytes(password);
  HR_CHECK(HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()), message.data(), message.size(), mac.data(),
                &size) != nullptr);
  HR_CHECK(size == mac.size());
  return HexEncode(mac);
}

std::string BasicAuthorization(std::string_view credentials) {
  return std::string(kScheme) + absl::Base64Escape({credentials.data(), credentials.size()});
}

void RpcAuthentication::AddPassword(std::string_view user, std::string_view password, Entropy& entropy) {
  std::array<uint8_t, kSaltBytes> salt_bytes;
  entropy.Fill(salt_bytes);
  const std::string salt = HexEncode(salt_bytes);
  credentials_.push_back({std::string(user), salt, PasswordHmacHex(salt, password)});
}

absl::Status RpcAuthentication::AddHashed(std::string_view text) {
  const size_t colon = text.find(':');
  const size_t dollar = text.find('$');
  const bool has_parts = colon != std::string_view::npos && dollar != std::string_view::npos && colon < dollar &&
                         text.find(':', colon + 1) == std::string_view::npos &&
                         text.find('$', dollar + 1) == std::string_view::npos;
  if (has_parts) {
    const std::string_view hmac = text.substr(dollar + 1);
    if (const auto bytes = HexDecode(hmac); bytes && hmac.size() == kHmacHexDigits) {
      credentials_.push_back({std::string(text.substr(0, colon)),
                              std::string(text.substr(colon + 1, dollar - colon - 1)), HexEncode(*bytes)});
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError("write USER:SALT$HASH, the hash being 64 hex digits");
}

bool RpcAuthentication::Accepts(std::string_view authorization) const {
  if (!authorization.starts_with(kScheme)) return false;
  authorization.remove_prefix(kScheme.size());
  std::string decoded;
  if (!absl::Base64Unescape({authorization.data(), authorization.size()}, &decoded)) return false;
  const std::string_view pair = decoded;
  const size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return false;
  bool is_accepted = false;
  // Looks at every credential whatever the others said: the time tells nothing about which one was nearly right.
  for (const Credential& credential : credentials_) {
    const bool is_user = IsSame(credential.user, pair.substr(0, colon));
    const bool is_password =
        IsSame(credential.password_hmac_hex, PasswordHmacHex(credential.salt, pair.substr(colon + 1)));
    is_accepted |= is_user & is_password;
  }
  return is_accepted;
}

}  // namespace headrace
