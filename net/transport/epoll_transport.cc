#include "net/transport/epoll_transport.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;
constexpr int kEventsPerStepMax = 256;
// Receives and accepts per readiness event: the others get their turn between.
constexpr int kReceivesPerEventMax = 4;
constexpr int kAcceptsPerEventMax = 64;
constexpr int64_t kAcceptRetryNs = 100'000'000;

// The low bits of an event's data say what the rest points to.
enum Kind : uint64_t { kBell, kListener, kConnection };
constexpr uint64_t kKindMask = 15;

bool IsAgain(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

}  // namespace

struct EpollTransport::Connection final : SocketConnection {
  bool is_send_blocked = false;
  uint32_t interest = 0;
};

absl::StatusOr<std::unique_ptr<Transport>> EpollTransport::Open() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    return absl::UnavailableError(absl::StrCat("Cannot create an epoll descriptor: ", std::strerror(errno),
                                               ". Raise the limit of open files (ulimit -n)."));
  }
  std::unique_ptr<EpollTransport> transport(new EpollTransport(fd));
  HR_RETURN_IF_ERROR(transport->BellStatus());
  epoll_event event{EPOLLIN, {.u64 = kBell}};
  HR_CHECK(epoll_ctl(fd, EPOLL_CTL_ADD, transport->bell_.fd(), &event) == 0);
  return std::unique_ptr<Transport>(std::move(transport));
}

EpollTransport::EpollTransport(int epoll_fd)
    : SocketTransport(SOCK_NONBLOCK, EFD_NONBLOCK),
      epoll_fd_(epoll_fd),
      buffer_(std::make_unique_for_overwrite<uint8_t[]>(kBufferBytes)) {}

EpollTransport::~EpollTransport() {
  AbortAllSilently();
  AdvanceDirty();
  close(epoll_fd_);
}

std::unique_ptr<SocketConnection> EpollTransport::NewConnection() { return std::make_unique<Connection>(); }

void EpollTransport::StartAccept(SocketListener& listener) {
  epoll_event event{EPOLLIN, {.u64 = reinterpret_cast<uint64_t>(&listener) | kListener}};
  HR_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listener.fd, &event) == 0);
  listener.is_armed = true;
}

void EpollTransport::StartConnect(SocketConnection& base, const Address& remote) {
  auto& connection = static_cast<Connection&>(base);
  sockaddr_storage storage;
  const socklen_t size = remote.ToSocket(storage);
  if (connect(connection.fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 && errno != EINPROGRESS) {
    return Connected(connection, errno);
  }
  // Also for a connection made at once: the first readiness event tells.
  SetInterest(connection);
}

void EpollTransport::SetInterest(Connection& connection) {
  uint32_t wanted = 0;
  if (connection.is_connecting || connection.is_send_blocked) wanted |= EPOLLOUT;
  if (connection.CanReceive()) wanted |= EPOLLIN;
  if (wanted == connection.interest) return;
  // A descriptor nobody waits for is taken out: errors are reported whether wanted or not, and would spin.
  const int operation = connection.interest == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  epoll_event event{wanted, {.u64 = reinterpret_cast<uint64_t>(&connection) | kConnection}};
  if (epoll_ctl(epoll_fd_, operation, connection.fd, &event) == 0) {
    connection.interest = wanted;
  } else {
    Failed(connection, errno);
  }
}

void EpollTransport::UpdateSend(SocketConnection& base) {
  auto& connection = static_cast<Connection&>(base);
  if (connection.is_send_blocked || connection.send_queue.empty()) return;
  iovec vectors[kGatherPiecesMax];
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = connection.send_queue.Gather(vectors);
  const ssize_t sent = sendmsg(connection.fd, &message, MSG_NOSIGNAL);
  if (sent > 0) {
    Sent(connection, static_cast<size_t>(sent));
  } else if (IsAgain(errno)) {
    connection.is_send_blocked = true;
  } else {
    Failed(connection, errno);
  }
}

void EpollTransport::UpdateReceive(SocketConnection& connection) { SetInterest(static_cast<Connection&>(connection)); }

bool EpollTransport::StopOperations(SocketConnection& base) {
  auto& connection = static_cast<Connection&>(base);
  if (connection.interest != 0) epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, connection.fd, nullptr);
  connection.interest = 0;
  return true;
}

void EpollTransport::Step(int64_t timeout_ns) {
  const bool is_busy = AdvanceDirty();
  if (listeners_wait_) timeout_ns = std::min(timeout_ns, kAcceptRetryNs);
  const bool may_sleep = bell_.PrepareToSleep() && !is_busy;
  const timespec timeout{may_sleep ? timeout_ns / 1'000'000'000 : 0, may_sleep ? timeout_ns % 1'000'000'000 : 0};
  epoll_event events[kEventsPerStepMax];
  const int count = epoll_pwait2(epoll_fd_, events, kEventsPerStepMax, &timeout, nullptr);
  HR_CHECK(count >= 0 || errno == EINTR);
  bell_.Awake();
  if (listeners_wait_) {
    listeners_wait_ = false;
    RearmListeners();
  }
  for (int i = 0; i < count; ++i) {
    const uint64_t data = events[i].data.u64;
    OnReady(reinterpret_cast<void*>(data & ~kKindMask), data & kKindMask, events[i].events);
  }
  AdvanceDirty();
}

void EpollTransport::OnReady(void* object, uint64_t kind, uint32_t events) {
  if (kind == kBell) {
    uint64_t value;
    [[maybe_unused]] const ssize_t size = read(bell_.fd(), &value, sizeof(value));
    return;
  }
  if (kind == kListener) return AcceptSome(*static_cast<SocketListener*>(object));
  // Connections are destroyed in AdvanceDirty alone, so every object of this batch still lives.
  auto& connection = *static_cast<Connection*>(object);
  if (connection.is_aborting) return;
  MarkDirty(connection);
  if (connection.is_connecting) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return Connected(connection, error);
  }
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) connection.is_send_blocked = false;
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) ReceiveSome(connection);
}

void EpollTransport::ReceiveSome(Connection& connection) {
  for (int i = 0; i < kReceivesPerEventMax && connection.CanReceive(); ++i) {
    const ReceiveTarget target = TargetOf(connection);
    const bool is_direct = !target.memory.empty();
    const MutableByteSpan into = is_direct ? target.memory : MutableByteSpan(buffer_.get(), kBufferBytes);
    const ssize_t size = recv(connection.fd, into.data(), into.size(), 0);
    if (size < 0) {
      if (!IsAgain(errno)) Failed(connection, errno);
      return;
    }
    if (size == 0) return EndReceived(connection);
    if (is_direct) {
      ReceivedDirect(connection, static_cast<size_t>(size));
    } else {
      Received(connection, ByteSpan(into).first(static_cast<size_t>(size)));
    }
    if (static_cast<size_t>(size) < into.size()) return;
  }
}

void EpollTransport::AcceptSome(SocketListener& listener) {
  for (int i = 0; i < kAcceptsPerEventMax; ++i) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      Accepted(listener, fd);
      continue;
    }
    if (IsAgain(errno) || errno == ECONNABORTED) return;
    HR_LOG(kWarning, kNet, "accepting paused address=", listener.address.ToString(), " error=\"", std::strerror(errno),
           "\"");
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, listener.fd, nullptr);
    listener.is_armed = false;
    listeners_wait_ = true;
    return;
  }
}

}  // namespace headrace
