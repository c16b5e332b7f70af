#include "net/transport/socket_transport.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"

namespace headrace {
namespace {

constexpr int kListenBacklog = 256;

// Stands in for the owner when a transport goes down.
class SilentHandler final : public TransportHandler {
 public:
  void OnAccepted(ConnectionId, const Address&, const Address&) override {}
  void OnConnected(ConnectionId) override {}
  size_t OnReceived(ConnectionId, ByteSpan bytes) override { return bytes.size(); }
  ReceiveTarget NextTarget(ConnectionId) override { return {}; }
  void OnReceivedDirect(ConnectionId, size_t) override {}
  void OnSent(ConnectionId, size_t) override {}
  void OnEndOfStream(ConnectionId) override {}
  void OnClosed(ConnectionId, CloseReason, int) override {}
};

absl::Status CannotListen(const Address& address, int error) {
  const char* advice = "Check the address, or choose another one.";
  std::string why = std::strerror(error);
  if (error == EADDRINUSE) {
    why = "address already in use";
    advice = "Another program (perhaps another node) listens there: stop it, or choose another port with -port or -bind.";
  } else if (error == EACCES) {
    why = "permission denied";
    advice = "Ports below 1024 are for the administrator: choose a higher one with -port or -bind.";
  } else if (error == EMFILE || error == ENFILE) {
    advice = "Raise the limit of open files (ulimit -n).";
  } else if (error == EADDRNOTAVAIL) {
    why = "this machine does not have that address";
    advice = "Choose one of its own addresses with -bind.";
  }
  return absl::UnavailableError(absl::StrCat("Cannot listen on ", address.ToString(), ": ", why, ". ", advice));
}

// Small messages (requests for blocks) must leave at once, not wait for an acknowledgement.
void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int BindAndListen(int fd, const Address& address) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!address.is_ipv4()) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  sockaddr_storage storage;
  const socklen_t size = address.ToSocket(storage);
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) return errno;
  return listen(fd, kListenBacklog) != 0 ? errno : 0;
}

}  // namespace

std::string_view CloseReasonText(CloseReason reason) {
  switch (reason) {
    case CloseReason::kLocal: return "closed here";
    case CloseReason::kConnectFailed: return "connecting failed";
    case CloseReason::kReset: return "connection broke";
  }
  return "unknown";
}

SocketTransport::~SocketTransport() {
  HR_CHECK(connections_.empty());
  for (const auto& listener : listeners_) close(listener->fd);
}

absl::Status SocketTransport::BellStatus() const {
  if (bell_.fd() >= 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "Cannot create an event descriptor: too many files are open, here or in the whole system. Raise the limit (ulimit -n).");
}

absl::StatusOr<Address> SocketTransport::Listen(const Address& address) {
  const int fd = socket(address.is_ipv4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | socket_flags_, 0);
  if (fd < 0) return CannotListen(address, errno);
  if (const int error = BindAndListen(fd, address); error != 0) {
    close(fd);
    return CannotListen(address, error);
  }
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  HR_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) == 0);
  listeners_.push_back(std::make_unique<SocketListener>());
  SocketListener& listener = *listeners_.back();
  listener.fd = fd;
  listener.address = Address::FromSocket(storage);
  StartAccept(listener);
  return listener.address;
}

ConnectionId SocketTransport::Connect(const Address& remote) {
  const int fd = socket(remote.is_ipv4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | socket_flags_, 0);
  const int error = errno;
  SocketConnection& connection = Add(fd);
  connection.is_connecting = true;
  if (fd < 0) {
    Connected(connection, error);
  } else {
    SetNoDelay(fd);
    StartConnect(connection, remote);
  }
  return connection.id;
}

void SocketTransport::Send(ConnectionId id, SharedBytes bytes) {
  SocketConnection* connection = Find(id);
  if (connection == nullptr || connection->is_draining || connection->is_aborting) return;
  connection->send_queue.Append(std::move(bytes));
  MarkDirty(*connection);
}

uint64_t SocketTransport::QueuedBytes(ConnectionId id) const {
  const SocketConnection* connection = Find(id);
  return connection == nullptr ? 0 : connection->send_queue.size_bytes();
}

void SocketTransport::PauseReceive(ConnectionId id) {
  SocketConnection* connection = Find(id);
  if (connection == nullptr || connection->is_paused) return;
  connection->is_paused = true;
  MarkDirty(*connection);
}

void SocketTransport::ResumeReceive(ConnectionId id) {
  SocketConnection* connection = Find(id);
  if (connection == nullptr || !connection->is_paused) return;
  connection->is_paused = false;
  MarkDirty(*connection);
}

void SocketTransport::Close(ConnectionId id, CloseMode mode) {
  SocketConnection* connection = Find(id);
  if (connection == nullptr || connection->is_aborting) return;
  // Nothing was queued on a connection that is still being made, or it does not matter any more.
  if (mode == CloseMode::kAbort || connection->is_connecting) {
    connection->is_aborting = true;
  } else {
    connection->is_draining = true;
  }
  connection->held.clear();
  connection->held_direct_size = 0;
  MarkDirty(*connection);
}

SocketConnection* SocketTransport::Find(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

SocketConnection& SocketTransport::Add(int fd) {
  std::unique_ptr<SocketConnection> connection = NewConnection();
  connection->id = ++last_id_;
  connection->fd = fd;
  SocketConnection& result = *connection;
  connections_.emplace(result.id, std::move(connection));
  return result;
}

void SocketTransport::MarkDirty(SocketConnection& connection) {
  if (connection.is_dirty) return;
  connection.is_dirty = true;
  dirty_.push_back(connection.id);
}

bool SocketTransport::AdvanceDirty() {
  std::vector<ConnectionId> now;
  now.swap(dirty_);
  for (const ConnectionId id : now) {
    SocketConnection* connection = Find(id);
    if (connection == nullptr) continue;
    connection->is_dirty = false;
    Advance(*connection);
  }
  return !dirty_.empty();
}

void SocketTransport::Advance(SocketConnection& connection) {
  if (!connection.is_aborting && !connection.is_connecting) {
    if (!connection.is_paused && !connection.is_draining) DeliverHeld(connection);
    if (!connection.is_aborting) UpdateSend(connection);
    if (!connection.is_aborting) EndWritingWhenDrained(connection);
    if (!connection.is_aborting) UpdateReceive(connection);
  }
  if (connection.is_aborting && StopOperations(connection)) Finish(connection);
}

void SocketTransport::DeliverHeld(SocketConnection& connection) {
  if (connection.held_direct_size != 0) {
    const size_t size = std::exchange(connection.held_direct_size, 0);
    handler_->OnReceivedDirect(connection.id, size);
  } else if (!connection.held.empty()) {
    std::vector<uint8_t> bytes;
    bytes.swap(connection.held);
    Received(connection, bytes);
  }
  if (connection.is_end_received && !connection.is_end_delivered && !connection.is_paused && !connection.HasHeld() &&
      !connection.is_draining && !connection.is_aborting) {
    connection.is_end_delivered = true;
    handler_->OnEndOfStream(connection.id);
  }
}

void SocketTransport::EndWritingWhenDrained(SocketConnection& connection) {
  if (!connection.is_draining || !connection.send_queue.empty() || IsSending(connection)) return;
  if (!connection.is_write_ended) {
    connection.is_write_ended = true;
    shutdown(connection.fd, SHUT_WR);
  }
  // Both ends have said all they had to say. Until the peer has, its bytes are read and dropped: closing with bytes
  // unread would reset the connection and could take from the peer what was just sent.
  if (connection.is_end_received) connection.is_aborting = true;
}

void SocketTransport::Finish(SocketConnection& connection) {
  if (connection.fd >= 0) close(connection.fd);
  const ConnectionId id = connection.id;
  const CloseReason reason = connection.close_reason;
  const int error = connection.close_error;
  connections_.erase(id);
  handler_->OnClosed(id, reason, error);
}

void SocketTransport::Accepted(const SocketListener& listener, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    // The peer has gone between its connect and our accept.
    close(fd);
    return;
  }
  SetNoDelay(fd);
  SocketConnection& connection = Add(fd);
  MarkDirty(connection);
  handler_->OnAccepted(connection.id, Address::FromSocket(storage), listener.address);
}

void SocketTransport::Connected(SocketConnection& connection, int error) {
  MarkDirty(connection);
  if (connection.is_aborting) return;
  if (error != 0) {
    connection.is_aborting = true;
    connection.close_reason = CloseReason::kConnectFailed;
    connection.close_error = error;
    return;
  }
  connection.is_connecting = false;
  handler_->OnConnected(connection.id);
}

void SocketTransport::Received(SocketConnection& connection, ByteSpan bytes) {
  MarkDirty(connection);
  if (connection.is_draining || connection.is_aborting) return;
  if (!connection.is_paused && connection.held.empty()) {
    const size_t consumed = handler_->OnReceived(connection.id, bytes);
    if (connection.is_draining || connection.is_aborting) return;
    HR_CHECK(consumed == bytes.size() || (consumed < bytes.size() && connection.is_paused));
    bytes = bytes.subspan(consumed);
  }
  connection.held.insert(connection.held.end(), bytes.begin(), bytes.end());
}

void SocketTransport::ReceivedDirect(SocketConnection& connection, size_t size) {
  MarkDirty(connection);
  if (connection.is_draining || connection.is_aborting) return;
  if (connection.is_paused) {
    connection.held_direct_size = size;
  } else {
    handler_->OnReceivedDirect(connection.id, size);
  }
}

void SocketTransport::EndReceived(SocketConnection& connection) {
  MarkDirty(connection);
  connection.is_end_received = true;
}

void SocketTransport::Sent(SocketConnection& connection, size_t size) {
  MarkDirty(connection);
  connection.send_queue.Consume(size);
  if (!connection.is_aborting) handler_->OnSent(connection.id, size);
}

void SocketTransport::Failed(SocketConnection& connection, int error) {
  MarkDirty(connection);
  if (connection.is_aborting) return;
  connection.is_aborting = true;
  // A drain that the peer cuts short is still the end that was asked for.
  if (!connection.is_draining) connection.close_reason = CloseReason::kReset;
  connection.close_error = error;
}

ReceiveTarget SocketTransport::TargetOf(SocketConnection& connection) {
  if (connection.is_draining) return {};
  ReceiveTarget target = handler_->NextTarget(connection.id);
  if (target.memory.size() > kDirectReceiveBytesMax) target.memory = target.memory.first(kDirectReceiveBytesMax);
  return target;
}

void SocketTransport::RearmListeners() {
  for (const auto& listener : listeners_) {
    if (!listener->is_armed) StartAccept(*listener);
  }
}

void SocketTransport::AbortAllSilently() {
  static SilentHandler silent;
  handler_ = &silent;
  for (auto& [id, connection] : connections_) {
    connection->is_aborting = true;
    MarkDirty(*connection);
  }
}

}  // namespace headrace
