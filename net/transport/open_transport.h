// Chooses the transport at start: io_uring where the kernel offers it, its epoll twin elsewhere.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "net/transport/transport.h"

namespace headrace {

enum class TransportChoice : uint8_t {
  kProbe,  // io_uring, or epoll with one log line that says why and what to change
  kUring,  // io_uring or nothing
  kEpoll,
};

absl::StatusOr<std::unique_ptr<Transport>> OpenTransport(TransportChoice choice);

}  // namespace headrace
