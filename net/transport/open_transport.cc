#include "net/transport/open_transport.h"

#include "engine/base/log.h"
#include "net/transport/epoll_transport.h"
#include "net/transport/uring_transport.h"

namespace headrace {

absl::StatusOr<std::unique_ptr<Transport>> OpenTransport(TransportChoice choice) {
  if (choice == TransportChoice::kEpoll) return EpollTransport::Open();
  absl::StatusOr<std::unique_ptr<Transport>> uring = UringTransport::Open();
  if (uring.ok() || choice == TransportChoice::kUring) return uring;
  HR_LOG(kWarning, kNet, "network transport=epoll reason=\"", uring.status().message(),
         "\" advice=\"allow io_uring (Linux 6.0 or later; sysctl kernel.io_uring_disabled=0; in a container, a seccomp "
         "profile that permits it)\"");
  return EpollTransport::Open();
}

}  // namespace headrace
