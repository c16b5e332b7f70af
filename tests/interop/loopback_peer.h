// A peer that is nothing but a socket: it comes from any address of 127.0.0.0/8, says what the test wants and reads
// what it is sent. A thousand of them are one process and one thread. Every wait has a deadline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "net/transport/address.h"
#include "net/wire/framer.h"

namespace headrace::testing {

class LoopbackPeer {
 public:
  // A peer of its own address for every number below 50,000; `is_connected` says whether it worked.
  LoopbackPeer(int number, uint16_t port);
  ~LoopbackPeer();
  LoopbackPeer(const LoopbackPeer&) = delete;
  LoopbackPeer& operator=(const LoopbackPeer&) = delete;

  bool is_connected() const { return is_connected_; }
  // What the node cannot take now is lost; false when the connection has ended.
  bool Send(const Command& command, const std::vector<uint8_t>& body = {});
  bool SendBytes(ByteSpan bytes);
  bool Introduce();

  // The body of the next message of that name; pings are answered on the way. Nothing when the connection ends first or
  // time is up.
  std::optional<std::vector<uint8_t>> ReadUntil(const Command& command, int seconds = 30);
  // Whether the node has ended the connection; does not wait.
  bool IsClosed();

 private:
  bool ReadSome(int limit_ms);

  int fd_ = -1;
  bool is_connected_ = false;
  bool is_closed_ = false;
  std::vector<uint8_t> pending_;
  Framer framer_;
};

// Lets this process have so many descriptors open, when the system allows it.
bool AllowOpenFiles(uint64_t count);

}  // namespace headrace::testing
