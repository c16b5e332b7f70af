// The transport over io_uring (Linux 6.0 and later).
//
// Accepts are multishot. Small messages come by multishot receives into a shared ring of buffers. When the handler names
// memory for a large body (NextTarget), the multishot receive is taken back and the rest of the body is received straight
// into it; after a body, single receives are used until one brings a short piece, because a multishot receive on a full
// socket would copy much of the next body through the pool before it could be taken back. Sends are gather lists, one
// in flight per connection. The doorbell is a read of its eventfd on the same ring, so one system call waits for
// everything.
#pragma once

#include <liburing.h>

#include <memory>

#include "net/transport/buffer_ring.h"
#include "net/transport/socket_transport.h"

namespace headrace {

class UringTransport final : public SocketTransport {
 public:
  // Fails with a sentence where the kernel does not offer what is needed, or forbids it.
  static absl::StatusOr<std::unique_ptr<Transport>> Open();
  ~UringTransport() override;

  std::string_view name() const override { return "io_uring"; }
  void Step(int64_t timeout_ns) override;

 protected:
  std::unique_ptr<SocketConnection> NewConnection() override;
  void StartAccept(SocketListener& listener) override;
  void StartConnect(SocketConnection& connection, const Address& remote) override;
  void UpdateSend(SocketConnection& connection) override;
  bool IsSending(const SocketConnection& connection) const override;
  void UpdateReceive(SocketConnection& connection) override;
  bool StopOperations(SocketConnection& connection) override;

 private:
  struct Connection;

  UringTransport();
  absl::Status Start();
  void StartBellRead();
  io_uring_sqe* NextSqe();
  void StartReceive(Connection& connection);
  void CancelReceive(Connection& connection);
  void Wait(int64_t timeout_ns);
  void Reap();
  void OnCompletion(const io_uring_cqe& cqe);
  void OnReceiveCompletion(Connection& connection, const io_uring_cqe& cqe);
  void OnAcceptCompletion(SocketListener& listener, const io_uring_cqe& cqe);

  BufferRing buffers_;  // outlives ring_'s closing in the destructor
  io_uring ring_{};
  bool is_ring_open_ = false;
  bool listeners_wait_ = false;
  uint64_t bell_value_ = 0;
};

}  // namespace headrace
