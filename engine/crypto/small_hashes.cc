#include "engine/crypto/small_hashes.h"

#include <openssl/evp.h>
#include <openssl/ripemd.h>
#include <openssl/sha.h>

#include "engine/base/check.h"
#include "engine/crypto/sha256.h"

namespace headrace {

// The direct functions: the provider interface that replaces them in OpenSSL 3 hides RIPEMD-160 behind a provider that is
// often not installed, and costs several times the hash itself for inputs as short as ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

Digest160 Sha1(ByteSpan bytes) {
  Digest160 digest;
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, bytes.data(), bytes.size());
  SHA1_Final(digest.data(), &context);
  return digest;
}

Digest160 Ripemd160(ByteSpan bytes) {
  Digest160 digest;
  RIPEMD160_CTX context;
  RIPEMD160_Init(&context);
  RIPEMD160_Update(&context, bytes.data(), bytes.size());
  RIPEMD160_Final(digest.data(), &context);
  return digest;
}

#pragma GCC diagnostic pop

Digest160 Hash160(ByteSpan bytes) { return Ripemd160(Sha256(bytes)); }

std::array<uint8_t, 32> Sha3_256(ByteSpan bytes) {
  std::array<uint8_t, 32> digest;
  unsigned int size = 0;
  HR_CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha3_256(), nullptr) == 1);
  HR_CHECK(size == digest.size());
  return digest;
}

}  // namespace headrace
