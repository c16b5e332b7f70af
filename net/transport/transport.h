// The Transport port: byte streams to and from other machines, behind one interface, so that a simulation can stand in
// for the kernel.
//
// One thread owns a transport (the reactor): every method but the doorbell's Ring is called by it alone, and all events
// reach the handler inside Step, on that thread. Calls never call back: what they cause is told in a later Step. The
// handler may call anything but Listen and Step from inside an event.
//
// What holds for every implementation:
//  1. A connection begins with OnAccepted, or with Connect followed by OnConnected, and ends with exactly one OnClosed;
//     nothing is told about it afterwards.
//  2. Bytes arrive in order, through OnReceived (borrowed for the call) or, where NextTarget gave memory, through
//     OnReceivedDirect (already in place). Neither is called while the connection is paused.
//  3. Sent bytes leave in order. What was given to Send is kept alive until the kernel has it.
//  4. After Close(kDrain) nothing more is told but OnSent and OnClosed: the queue is sent, the stream ended, and the peer
//     is given until the handler aborts to end its own.
//  5. While paused, a reset by the peer may go unnoticed until the connection is resumed or written to.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/base/slab.h"
#include "engine/ports/doorbell.h"
#include "net/transport/address.h"

namespace headrace {

// Unique over the life of the transport; 0 is nobody.
using ConnectionId = uint64_t;

enum class CloseMode : uint8_t {
  kDrain,  // send what is queued, end the stream, wait for the peer's end
  kAbort,  // at once; queued bytes are dropped
};

enum class CloseReason : uint8_t {
  kLocal,          // Close was called
  kConnectFailed,  // the connection never came to be
  kReset,          // an established connection broke
};

std::string_view CloseReasonText(CloseReason reason);

// Memory for the next bytes of a stream. `owner` keeps it alive while the kernel may write to it.
struct ReceiveTarget {
  MutableByteSpan memory;
  std::shared_ptr<void> owner;
};

class TransportHandler {
 public:
  virtual ~TransportHandler() = default;

  // `listener` is the address that Listen returned.
  virtual void OnAccepted(ConnectionId connection, const Address& remote, const Address& listener) = 0;
  virtual void OnConnected(ConnectionId connection) = 0;
  // Returns how many bytes were consumed. Fewer than all only after PauseReceive or Close; the rest is given again once
  // the connection is resumed.
  virtual size_t OnReceived(ConnectionId connection, ByteSpan bytes) = 0;
  // Where the next bytes shall land; empty memory for "wherever" (OnReceived). Asked before each receive, after
  // everything received so far was consumed.
  virtual ReceiveTarget NextTarget(ConnectionId connection) = 0;
  // `size` bytes were written to the beginning of the last target.
  virtual void OnReceivedDirect(ConnectionId connection, size_t size) = 0;
  virtual void OnSent(ConnectionId connection, size_t size) = 0;
  // The peer will send nothing more; it may still read. The handler closes.
  virtual void OnEndOfStream(ConnectionId connection) = 0;
  // `error` is an errno, or 0.
  virtual void OnClosed(ConnectionId connection, CloseReason reason, int error) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  virtual std::string_view name() const = 0;

  // Must be set before the first Step, and outlive the last.
  virtual void SetHandler(TransportHandler* handler) = 0;

  // Accepts connections at `address`; port 0 takes a free one. Returns the address in use, or a sentence.
  virtual absl::StatusOr<Address> Listen(const Address& address) = 0;

  // Starts to connect. A failure of any kind is told by OnClosed.
  virtual ConnectionId Connect(const Address& remote) = 0;

  // Queues bytes. Unknown or closing connections drop them.
  virtual void Send(ConnectionId connection, SharedBytes bytes) = 0;
  // Bytes given to Send that the kernel has not taken yet.
  virtual uint64_t QueuedBytes(ConnectionId connection) const = 0;

  virtual void PauseReceive(ConnectionId connection) = 0;
  virtual void ResumeReceive(ConnectionId connection) = 0;

  // A drain may be followed by an abort.
  virtual void Close(ConnectionId connection, CloseMode mode) = 0;

  // Does what was asked for, waits up to `timeout_ns` for something to happen unless the doorbell was rung, and tells the
  // handler. Work per call is bounded.
  virtual void Step(int64_t timeout_ns) = 0;

  // Ends the wait of Step, now or the next one. Any thread.
  virtual Doorbell& doorbell() = 0;

  virtual size_t connection_count() const = 0;
};

}  // namespace headrace
