#include "net/transport/uring_transport.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

constexpr unsigned kSubmissionEntries = 1024;
constexpr unsigned kCompletionEntries = 8192;
// Completions handled in one Step: the owner gets its turn between.
constexpr unsigned kCompletionsPerStepMax = 512;
// While no descriptor is to be had for new connections, accepting is tried again this often.
constexpr int64_t kAcceptRetryNs = 100'000'000;

// The low bits of an operation's user data say what it was; the rest is the object's address.
enum Operation : uint64_t { kBell, kAccept, kConnect, kReceive, kSend, kCancel };
constexpr uint64_t kOperationMask = 15;

uint64_t UserData(const void* object, Operation operation) {
  return reinterpret_cast<uint64_t>(object) | static_cast<uint64_t>(operation);
}

absl::Status Missing(std::string_view what, int error) {
  return absl::UnavailableError(absl::StrCat("io_uring is not available (", std::string(what), ": ", std::strerror(error), ")"));
}

}  // namespace

struct UringTransport::Connection final : SocketConnection {
  enum class Receive : uint8_t { kNone, kMultishot, kSingle, kDirect };

  bool is_connect_in_flight = false;
  bool is_send_in_flight = false;
  bool is_receive_cancelled = false;
  bool is_stop_submitted = false;
  bool prefers_single = false;  // a large body came last, and probably another one follows
  Receive receive = Receive::kNone;
  uint32_t cancels_in_flight = 0;
  std::shared_ptr<void> target_owner;
  sockaddr_storage remote{};
  msghdr message{};
  iovec vectors[kGatherPiecesMax];

  bool HasOperations() const {
    return is_connect_in_flight || is_send_in_flight || receive != Receive::kNone || cancels_in_flight != 0;
  }
};

absl::StatusOr<std::unique_ptr<Transport>> UringTransport::Open() {
  std::unique_ptr<UringTransport> transport(new UringTransport());
  HR_RETURN_IF_ERROR(transport->Start());
  return std::unique_ptr<Transport>(std::move(transport));
}

// Blocking descriptors: io_uring itself waits for readiness, but would hand EAGAIN through for non-blocking ones.
UringTransport::UringTransport() : SocketTransport(0, 0) {}

absl::Status UringTransport::Start() {
  HR_RETURN_IF_ERROR(BellStatus());
  io_uring_params params{};
  params.flags = IORING_SETUP_CQSIZE | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_CLAMP;
  params.cq_entries = kCompletionEntries;
  if (const int error = io_uring_queue_init_params(kSubmissionEntries, &ring_, &params); error != 0) {
    return Missing("setting up a ring", -error);
  }
  is_ring_open_ = true;
  constexpr uint32_t kFeatures = IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
  if ((ring_.features & kFeatures) != kFeatures) return Missing("features of Linux 5.11", ENOSYS);
  io_uring_probe* probe = io_uring_get_probe_ring(&ring_);
  // Multishot receive itself cannot be probed for; it came with Linux 6.0, as this operation did.
  const bool is_recent = probe != nullptr && io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
  if (probe != nullptr) io_uring_free_probe(probe);
  if (!is_recent) return Missing("multishot receives of Linux 6.0", ENOSYS);
  if (const int error = buffers_.Register(ring_); error != 0) return Missing("registering buffers", error);
  StartBellRead();
  return absl::OkStatus();
}

UringTransport::~UringTransport() {
  if (!is_ring_open_) return;
  // The kernel must let go of every connection's memory before it is freed.
  AbortAllSilently();
  while (connection_count() != 0) Step(1'000'000);
  io_uring_queue_exit(&ring_);
}

std::unique_ptr<SocketConnection> UringTransport::NewConnection() { return std::make_unique<Connection>(); }

io_uring_sqe* UringTransport::NextSqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    io_uring_submit(&ring_);
    sqe = io_uring_get_sqe(&ring_);
    HR_CHECK(sqe != nullptr);
  }
  return sqe;
}

void UringTransport::StartBellRead() {
  io_uring_sqe* sqe = NextSqe();
  io_uring_prep_read(sqe, bell_.fd(), &bell_value_, sizeof(bell_value_), 0);
  io_uring_sqe_set_data64(sqe, UserData(nullptr, kBell));
}

void UringTransport::StartAccept(SocketListener& listener) {
  io_uring_sqe* sqe = NextSqe();
  io_uring_prep_multishot_accept(sqe, listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
  io_uring_sqe_set_data64(sqe, UserData(&listener, kAccept));
  listener.is_armed = true;
}

void UringTransport::StartConnect(SocketConnection& base, const Address& remote) {
  auto& connection = static_cast<Connection&>(base);
  const socklen_t size = remote.ToSocket(connection.remote);
  io_uring_sqe* sqe = NextSqe();
  io_uring_prep_connect(sqe, connection.fd, reinterpret_cast<sockaddr*>(&connection.remote), size);
  io_uring_sqe_set_data64(sqe, UserData(&connection, kConnect));
  connection.is_connect_in_flight = true;
}

bool UringTransport::IsSending(const SocketConnection& connection) const {
  return static_cast<const Connection&>(connection).is_send_in_flight;
}

void UringTransport::UpdateSend(SocketConnection& base) {
  auto& connection = static_cast<Connection&>(base);
  if (connection.is_send_in_flight || connection.send_queue.empty()) return;
  connection.message = {};
  connection.message.msg_iov = connection.vectors;
  connection.message.msg_iovlen = connection.send_queue.Gather(connection.vectors);
  io_uring_sqe* sqe = NextSqe();
  io_uring_prep_sendmsg(sqe, connection.fd, &connection.message, MSG_NOSIGNAL);
  io_uring_sqe_set_data64(sqe, UserData(&connection, kSend));
  connection.is_send_in_flight = true;
}

void UringTransport::UpdateReceive(SocketConnection& base) {
  auto& connection = static_cast<Connection&>(base);
  if (!connection.CanReceive()) {
    CancelReceive(connection);
  } else if (connection.receive == Connection::Receive::kNone) {
    StartReceive(connection);
  } else if (connection.receive == Connection::Receive::kMultishot && !TargetOf(connection).memory.empty()) {
    CancelReceive(connection);
  }
}

void UringTransport::StartReceive(Connection& connection) {
  ReceiveTarget target = TargetOf(connection);
  io_uring_sqe* sqe = NextSqe();
  if (!target.memory.empty()) {
    // One completion when all is there: bytes that trickle in cost no wake-up each.
    io_uring_prep_recv(sqe, connection.fd, target.memory.data(), target.memory.size(), MSG_WAITALL);
    connection.receive = Connection::Receive::kDirect;
    connection.target_owner = std::move(target.owner);
  } else {
    if (connection.prefers_single) {
      io_uring_prep_recv(sqe, connection.fd, nullptr, BufferRing::kBufferBytes, 0);
      connection.receive = Connection::Receive::kSingle;
    } else {
      io_uring_prep_recv_multishot(sqe, connection.fd, nullptr, 0, 0);
      connection.receive = Connection::Receive::kMultishot;
    }
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = BufferRing::kGroup;
  }
  io_uring_sqe_set_data64(sqe, UserData(&connection, kReceive));
}

void UringTransport::CancelReceive(Connection& connection) {
  // A single receive is left alone: it ends by itself, and what it brings is held.
  if (connection.receive != Connection::Receive::kMultishot || connection.is_receive_cancelled) return;
  connection.is_receive_cancelled = true;
  io_uring_sqe* sqe = NextSqe();
  io_uring_prep_cancel64(sqe, UserData(&connection, kReceive), 0);
  io_uring_sqe_set_data64(sqe, UserData(&connection, kCancel));
  ++connection.cancels_in_flight;
}

bool UringTransport::StopOperations(SocketConnection& base) {
  auto& connection = static_cast<Connection&>(base);
  if (!connection.HasOperations()) return true;
  if (!connection.is_stop_submitted) {
    connection.is_stop_submitted = true;
    // The end of the stream completes a receive that slips past the cancellation because it was being re-armed.
    shutdown(connection.fd, SHUT_RDWR);
    io_uring_sqe* sqe = NextSqe();
    io_uring_prep_cancel_fd(sqe, connection.fd, IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data64(sqe, UserData(&connection, kCancel));
    ++connection.cancels_in_flight;
  }
  return false;
}

void UringTransport::Step(int64_t timeout_ns) {
  const bool is_busy = AdvanceDirty();
  if (listeners_wait_ && timeout_ns > kAcceptRetryNs) timeout_ns = kAcceptRetryNs;
  Wait(is_busy || !bell_.PrepareToSleep() ? 0 : timeout_ns);
  bell_.Awake();
  if (listeners_wait_) {
    listeners_wait_ = false;
    RearmListeners();
  }
  Reap();
  AdvanceDirty();
  io_uring_submit(&ring_);
}

void UringTransport::Wait(int64_t timeout_ns) {
  __kernel_timespec timeout{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  io_uring_cqe* cqe = nullptr;
  const int result = io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, &timeout, nullptr);
  // The rest are our own mistakes: a bad ring, bad memory.
  HR_CHECK(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN || result == -EBUSY);
}

void UringTransport::Reap() {
  io_uring_cqe* batch[64];
  unsigned handled = 0;
  while (handled < kCompletionsPerStepMax) {
    const unsigned count = io_uring_peek_batch_cqe(&ring_, batch, 64);
    if (count == 0) return;
    for (unsigned i = 0; i < count; ++i) OnCompletion(*batch[i]);
    io_uring_cq_advance(&ring_, count);
    handled += count;
  }
}

void UringTransport::OnCompletion(const io_uring_cqe& cqe) {
  const auto operation = static_cast<Operation>(cqe.user_data & kOperationMask);
  if (operation == kBell) return StartBellRead();
  auto* object = reinterpret_cast<void*>(cqe.user_data & ~kOperationMask);
  if (operation == kAccept) return OnAcceptCompletion(*static_cast<SocketListener*>(object), cqe);
  auto& connection = *static_cast<Connection*>(object);
  MarkDirty(connection);
  switch (operation) {
    case kConnect:
      connection.is_connect_in_flight = false;
      Connected(connection, cqe.res < 0 ? -cqe.res : 0);
      break;
    case kReceive:
      OnReceiveCompletion(connection, cqe);
      break;
    case kSend:
      connection.is_send_in_flight = false;
      if (cqe.res > 0) {
        Sent(connection, static_cast<size_t>(cqe.res));
      } else if (cqe.res != -EINTR && cqe.res != -EAGAIN) {
        Failed(connection, -cqe.res);
      }
      break;
    case kCancel:
      --connection.cancels_in_flight;
      break;
    case kBell:
    case kAccept:
      break;
  }
}

void UringTransport::OnReceiveCompletion(Connection& connection, const io_uring_cqe& cqe) {
  const Connection::Receive kind = connection.receive;
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) {
    connection.receive = Connection::Receive::kNone;
    connection.is_receive_cancelled = false;
  }
  if (cqe.res > 0) {
    const auto size = static_cast<size_t>(cqe.res);
    if (kind == Connection::Receive::kDirect) {
      connection.prefers_single = true;
      ReceivedDirect(connection, size);
    } else {
      if (size < BufferRing::kBufferBytes) connection.prefers_single = false;
      const auto buffer = static_cast<uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      Received(connection, buffers_.Bytes(buffer, size));
      buffers_.Recycle(buffer);
    }
  } else if (cqe.res == 0) {
    EndReceived(connection);
  } else if (cqe.res != -ECANCELED && cqe.res != -ENOBUFS && cqe.res != -EINTR && cqe.res != -EAGAIN) {
    Failed(connection, -cqe.res);
  }
  // Buffers are given back within the Step that brought them, so after -ENOBUFS the next receive finds some.
  if (connection.receive == Connection::Receive::kNone) connection.target_owner.reset();
}

void UringTransport::OnAcceptCompletion(SocketListener& listener, const io_uring_cqe& cqe) {
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) listener.is_armed = false;
  if (cqe.res >= 0) {
    Accepted(listener, cqe.res);
    if (!listener.is_armed) StartAccept(listener);
  } else if (!listener.is_armed) {
    HR_LOG(kWarning, kNet, "accepting paused address=", listener.address.ToString(), " error=\"",
           std::strerror(-cqe.res), "\"");
    listeners_wait_ = true;
  }
}

}  // namespace headrace
