#include "tests/interop/loopback_peer.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "net/wire/commands.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/version_message.h"

namespace headrace::testing {
namespace {

constexpr NetworkMagic kRegtestMagic = {0xfa, 0xbf, 0xb5, 0xda};

// 127.1.0.1 and so on: every /24 has two hundred.
Address LoopbackAddress(int number) {
  return Address::Ipv4(127, 1, static_cast<uint8_t>(number / 200), static_cast<uint8_t>(1 + number % 200), 0);
}

}  // namespace

LoopbackPeer::LoopbackPeer(int number, uint16_t port)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      framer_(kRegtestMagic, [](const Command&, uint32_t) { return nullptr; }) {
  sockaddr_storage from, to;
  const socklen_t from_size = LoopbackAddress(number).ToSocket(from);
  const socklen_t to_size = Address::Ipv4(127, 0, 0, 1, port).ToSocket(to);
  is_connected_ = fd_ >= 0 && bind(fd_, reinterpret_cast<sockaddr*>(&from), from_size) == 0 &&
                  connect(fd_, reinterpret_cast<sockaddr*>(&to), to_size) == 0;
}

LoopbackPeer::~LoopbackPeer() {
  if (fd_ >= 0) close(fd_);
}

bool LoopbackPeer::SendBytes(ByteSpan bytes) {
  const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent == static_cast<ssize_t>(bytes.size());
}

bool LoopbackPeer::Send(const Command& command, const std::vector<uint8_t>& body) {
  return SendBytes(EncodeMessage(kRegtestMagic, command, body).bytes);
}

bool LoopbackPeer::Introduce() {
  VersionMessage version;
  version.protocol_version = 70'016;
  version.nonce = 1;
  version.user_agent = "/loopback:1/";
  std::vector<uint8_t> body;
  EncodeVersion(version, body);
  return Send(commands::kVersion, body) && Send(commands::kVerack);
}

std::optional<std::vector<uint8_t>> LoopbackPeer::ReadUntil(const Command& command, int seconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (true) {
    while (!pending_.empty()) {
      const size_t size = framer_.Consume(pending_);
      std::optional<std::vector<uint8_t>> body;
      if (framer_.has_message()) {
        const Message message = framer_.TakeMessage();
        if (message.command == commands::kPing) Send(commands::kPong, {message.body.begin(), message.body.end()});
        if (message.command == command) body.emplace(message.body.begin(), message.body.end());
      } else if (framer_.error() != FramingError::kNone) {
        return std::nullopt;
      }
      pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(size));
      if (body) return body;
    }
    if (is_closed_ || std::chrono::steady_clock::now() > deadline) return std::nullopt;
    ReadSome(100);
  }
}

bool LoopbackPeer::IsClosed() {
  while (!is_closed_ && ReadSome(0)) {
  }
  return is_closed_;
}

// True when something came.
bool LoopbackPeer::ReadSome(int limit_ms) {
  pollfd ready{fd_, POLLIN, 0};
  if (poll(&ready, 1, limit_ms) <= 0) return false;
  uint8_t buffer[16384];
  const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
  is_closed_ = size <= 0;
  if (size > 0) pending_.insert(pending_.end(), buffer, buffer + size);
  return size > 0;
}

bool AllowOpenFiles(uint64_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= count) return true;
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, std::min<rlim_t>(count, limit.rlim_max));
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= count;
}

}  // namespace headrace::testing
