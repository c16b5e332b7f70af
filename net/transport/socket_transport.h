// What both kernel transports share: the table of connections, the order in which things are told, pausing, draining and
// closing. Only how bytes are moved (completions or readiness) differs, and stands in the two subclasses, so that their
// semantics are the same by construction.
//
// A connection is advanced whenever something about it changed: Advance looks at its state and starts whatever is due.
// Every step of it may be repeated without harm.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "net/transport/send_queue.h"
#include "net/transport/transport.h"
#include "net/transport/wake_bell.h"

namespace headrace {

// The most bytes that one receive puts into a direct target: progress of a large body stays visible, and one fast peer
// does not keep the others waiting.
inline constexpr size_t kDirectReceiveBytesMax = 512 * 1024;
// Pieces of a send queue that one system call takes.
inline constexpr size_t kGatherPiecesMax = 32;

struct alignas(16) SocketConnection {
  virtual ~SocketConnection() = default;

  ConnectionId id = 0;
  int fd = -1;
  bool is_connecting = false;
  bool is_paused = false;
  bool is_draining = false;
  bool is_aborting = false;
  bool is_write_ended = false;        // our end of the stream was sent
  bool is_end_received = false;       // the peer's end of the stream was read
  bool is_end_delivered = false;
  bool is_dirty = false;              // in the list of connections to advance
  CloseReason close_reason = CloseReason::kLocal;
  int close_error = 0;

  SendQueue send_queue;
  // Received and not yet consumed, because the handler had paused.
  std::vector<uint8_t> held;
  size_t held_direct_size = 0;

  bool CanReceive() const {
    return !is_connecting && !is_aborting && !is_end_received && (is_draining || (!is_paused && !HasHeld()));
  }
  bool HasHeld() const { return !held.empty() || held_direct_size != 0; }
};

struct SocketListener {
  int fd = -1;
  Address address;
  bool is_armed = false;
};

class SocketTransport : public Transport {
 public:
  ~SocketTransport() override;

  void SetHandler(TransportHandler* handler) override { handler_ = handler; }
  absl::StatusOr<Address> Listen(const Address& address) override;
  ConnectionId Connect(const Address& remote) override;
  void Send(ConnectionId connection, SharedBytes bytes) override;
  uint64_t QueuedBytes(ConnectionId connection) const override;
  void PauseReceive(ConnectionId connection) override;
  void ResumeReceive(ConnectionId connection) override;
  void Close(ConnectionId connection, CloseMode mode) override;
  Doorbell& doorbell() override { return bell_; }
  size_t connection_count() const override { return connections_.size(); }

 protected:
  SocketTransport(int socket_flags, int eventfd_flags) : bell_(eventfd_flags), socket_flags_(socket_flags) {}

  // Whether the doorbell got its descriptor; asked before the transport is handed out.
  absl::Status BellStatus() const;

  // Subclass: a connection object of its own kind.
  virtual std::unique_ptr<SocketConnection> NewConnection() = 0;
  virtual void StartAccept(SocketListener& listener) = 0;
  virtual void StartConnect(SocketConnection& connection, const Address& remote) = 0;
  // Starts to send what is queued, unless that is under way.
  virtual void UpdateSend(SocketConnection& connection) = 0;
  virtual bool IsSending(const SocketConnection& connection) const = 0;
  // Starts or stops receiving, as CanReceive says.
  virtual void UpdateReceive(SocketConnection& connection) = 0;
  // Takes back what the kernel still works on; true when nothing is left and the descriptor can be closed.
  virtual bool StopOperations(SocketConnection& connection) = 0;

  // For subclasses, when something happened.
  void Accepted(const SocketListener& listener, int fd);
  void Connected(SocketConnection& connection, int error);
  void Received(SocketConnection& connection, ByteSpan bytes);
  void ReceivedDirect(SocketConnection& connection, size_t size);
  void EndReceived(SocketConnection& connection);
  void Sent(SocketConnection& connection, size_t size);
  void Failed(SocketConnection& connection, int error);

  ReceiveTarget TargetOf(SocketConnection& connection);
  void MarkDirty(SocketConnection& connection);
  // Advances every connection of which something changed; true when any is left (handlers may change more).
  bool AdvanceDirty();
  // Accepting stopped for want of descriptors: tries again.
  void RearmListeners();
  // Ends everything without telling anybody; for destructors of subclasses.
  void AbortAllSilently();

  TransportHandler& handler() { return *handler_; }
  std::vector<std::unique_ptr<SocketListener>>& listeners() { return listeners_; }

  WakeBell bell_;

 private:
  SocketConnection* Find(ConnectionId id) const;
  SocketConnection& Add(int fd);
  void Advance(SocketConnection& connection);
  void DeliverHeld(SocketConnection& connection);
  void EndWritingWhenDrained(SocketConnection& connection);
  void Finish(SocketConnection& connection);

  const int socket_flags_;
  TransportHandler* handler_ = nullptr;
  ConnectionId last_id_ = 0;
  absl::flat_hash_map<ConnectionId, std::unique_ptr<SocketConnection>> connections_;
  std::vector<std::unique_ptr<SocketListener>> listeners_;
  std::vector<ConnectionId> dirty_;
};

}  // namespace headrace
