// The transport over epoll: the twin of UringTransport for kernels without io_uring, and its measure in benchmarks.
//
// Level-triggered readiness, non-blocking sockets. A large body is received straight into the handler's memory here too.
#pragma once

#include <memory>

#include "net/transport/socket_transport.h"

namespace headrace {

class EpollTransport final : public SocketTransport {
 public:
  static absl::StatusOr<std::unique_ptr<Transport>> Open();
  ~EpollTransport() override;

  std::string_view name() const override { return "epoll"; }
  void Step(int64_t timeout_ns) override;

 protected:
  std::unique_ptr<SocketConnection> NewConnection() override;
  void StartAccept(SocketListener& listener) override;
  void StartConnect(SocketConnection& connection, const Address& remote) override;
  void UpdateSend(SocketConnection& connection) override;
  bool IsSending(const SocketConnection&) const override { return false; }
  void UpdateReceive(SocketConnection& connection) override;
  bool StopOperations(SocketConnection& connection) override;

 private:
  struct Connection;

  explicit EpollTransport(int epoll_fd);
  void SetInterest(Connection& connection);
  void ReceiveSome(Connection& connection);
  void AcceptSome(SocketListener& listener);
  void OnReady(void* object, uint64_t kind, uint32_t events);

  const int epoll_fd_;
  bool listeners_wait_ = false;
  std::unique_ptr<uint8_t[]> buffer_;
};

}  // namespace headrace
