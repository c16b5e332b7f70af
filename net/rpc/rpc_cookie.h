// The cookie: a file with a password made anew at every start, for programs of the same user on the same machine.
//
// `__cookie__:` and 64 hex digits. Written aside and renamed, so that a reader finds all of it or none; readable by its
// owner alone unless the operator says otherwise. It belongs to the running server and is no part of the node's data,
// hence not a matter of storage. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ports/entropy.h"

namespace headrace {

enum class CookieReaders : uint8_t { kOwner, kGroup, kAll };

// The file's name in the network's directory, unless another is given.
inline constexpr char kCookieFileName[] = ".cookie";

class RpcCookie {
 public:
  static absl::StatusOr<RpcCookie> Create(const std::string& path, CookieReaders readers, Entropy& entropy);
  RpcCookie(RpcCookie&& other) noexcept;
  RpcCookie& operator=(RpcCookie&&) = delete;
  // Removes the file if it is still this one.
  ~RpcCookie();

  // `user:password`.
  const std::string& credentials() const { return credentials_; }

 private:
  RpcCookie(std::string path, std::string credentials) : path_(std::move(path)), credentials_(std::move(credentials)) {}

  std::string path_;
  std::string credentials_;
};

// What a client reads: `user:password`. NotFound when the file cannot be read.
absl::StatusOr<std::string> ReadCookie(const std::string& path);

}  // namespace headrace
