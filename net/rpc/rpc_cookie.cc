#include "net/rpc/rpc_cookie.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/hex.h"

namespace headrace {
namespace {

constexpr size_t kPasswordBytes = 32;

mode_t ModeOf(CookieReaders readers) {
  switch (readers) {
    case CookieReaders::kOwner:
      return 0600;
    case CookieReaders::kGroup:
      return 0640;
    case CookieReaders::kAll:
      break;
  }
  return 0644;
}

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("the RPC cookie ", path, " cannot be written: ", std::strerror(error),
                   ". Check the directory, name another file with -rpccookiefile, or set -rpcauth and "
                   "-norpccookiefile."));
}

}  // namespace

absl::StatusOr<RpcCookie> RpcCookie::Create(const std::string& path, CookieReaders readers, Entropy& entropy) {
  std::array<uint8_t, kPasswordBytes> password;
  entropy.Fill(password);
  const std::string credentials = "__cookie__:" + HexEncode(password);
  const std::string aside = path + ".tmp";
  unlink(aside.c_str());  // what a crash left
  // Made with no more rights than the owner's, and given others only when it is whole.
  const int fd = open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return CannotWrite(path, errno);
  const bool is_written =
      write(fd, credentials.data(), credentials.size()) == static_cast<ssize_t>(credentials.size()) &&
      fchmod(fd, ModeOf(readers)) == 0;
  const int write_error = errno;
  const bool is_closed = close(fd) == 0;
  if (is_written && is_closed && rename(aside.c_str(), path.c_str()) == 0) return RpcCookie(path, credentials);
  const int error = is_written ? errno : write_error;
  unlink(aside.c_str());
  return CannotWrite(path, error);
}

RpcCookie::RpcCookie(RpcCookie&& other) noexcept
    : path_(std::exchange(other.path_, {})), credentials_(std::move(other.credentials_)) {}

RpcCookie::~RpcCookie() {
  if (path_.empty()) return;
  // Another server may have put its own in place.
  const absl::StatusOr<std::string> there = ReadCookie(path_);
  if (there.ok() && *there == credentials_) unlink(path_.c_str());
}

absl::StatusOr<std::string> ReadCookie(const std::string& path) {
  std::ifstream stream(path);
  std::string line;
  if (!stream || !std::getline(stream, line))
    return absl::NotFoundError(absl::StrCat("the RPC cookie ", path, " cannot be read."));
  return line;
}

}  // namespace headrace
