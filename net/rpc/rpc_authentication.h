// Who may call: names and salted password hashes, compared in constant time.
//
// Built once; then any thread. Cost: one HMAC-SHA256 for each credential there is, a few microseconds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/ports/entropy.h"

namespace headrace {

class RpcAuthentication {
 public:
  // A plain password; it is hashed with a salt of its own and not kept.
  void AddPassword(std::string_view user, std::string_view password, Entropy& entropy);
  // `USER:SALT$HMAC`: HMAC-SHA256 in hex of the password, with the salt's text as its key.
  absl::Status AddHashed(std::string_view text);

  // The value of an Authorization field: `Basic` and the Base64 of `user:password`.
  bool Accepts(std::string_view authorization) const;

 private:
  struct Credential {
    std::string user;
    std::string salt;
    std::string password_hmac_hex;
  };

  std::vector<Credential> credentials_;
};

// The hash of -rpcauth, as hex.
std::string PasswordHmacHex(std::string_view salt, std::string_view password);
// What a client puts into its Authorization field.
std::string BasicAuthorization(std::string_view credentials);

}  // namespace headrace
