// What is said to a SOCKS5 proxy (RFC 1928) before it passes a connection on: bytes in, bytes out, no IO.
//
// The proxy is told where to connect to, by numeric address or by a name that it resolves itself, so that nobody else is asked for
// it. No password is meant: where the proxy wants one (RFC 1929) it gets a random name, by which proxies to anonymous networks
// keep connections apart. Whatever a proxy sends, at most 262 bytes of it are kept. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "net/transport/address.h"

namespace headrace {

class Socks5Dialogue {
 public:
  // A host of more than 255 bytes is refused by Begin. `credential`: anything that no other connection has.
  Socks5Dialogue(HostPort target, uint64_t credential);

  // What to send when the stream to the proxy exists.
  std::vector<uint8_t> Begin();
  // Takes what the proxy says, never a byte that comes after its last word, and appends what to answer. Returns how much
  // it took.
  size_t Consume(ByteSpan bytes, std::vector<uint8_t>& answer);

  // From here on the stream is the target's.
  bool is_done() const { return step_ == Step::kDone; }
  // Why there will be no connection, as the end of a sentence; empty while there may.
  const std::string& failure() const { return failure_; }

 private:
  enum class Step : uint8_t { kMethod, kPassword, kReply, kDone, kFailed };

  // How many bytes the proxy's next word has, as far as that can be told from what there is of it.
  size_t WordBytes() const;
  void OnWord(std::vector<uint8_t>& answer);
  void AppendPassword(std::vector<uint8_t>& answer) const;
  void AppendRequest(std::vector<uint8_t>& answer) const;
  void Fail(std::string why);

  const HostPort target_;
  const uint64_t credential_;
  Step step_ = Step::kMethod;
  std::vector<uint8_t> word_;
  std::string failure_;
};

}  // namespace headrace
