// A client of raw bytes for the tests of the server: sends anything, reads replies, notices the end of the stream.
// Every wait ends after ten seconds with a failure.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "net/transport/address.h"

namespace headrace::testing {

class HttpClient {
 public:
  enum class Refusal : uint8_t { kFails, kMayCome };

  explicit HttpClient(const Address& server, Refusal refusal = Refusal::kFails)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage to;
    const socklen_t size = server.ToSocket(to);
    is_connected_ = fd_ >= 0 && connect(fd_, reinterpret_cast<sockaddr*>(&to), size) == 0;
    EXPECT_TRUE(is_connected_ || refusal == Refusal::kMayCome);
  }
  HttpClient(HttpClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), is_connected_(other.is_connected_), buffer_(std::move(other.buffer_)) {}
  ~HttpClient() {
    if (fd_ >= 0) close(fd_);
  }

  bool is_connected() const { return is_connected_; }

  // False when the other side does not take the bytes.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void EndSending() { shutdown(fd_, SHUT_WR); }

  bool Post(std::string_view body, std::string_view fields = "") {
    return Send("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(fields) +
                "\r\n" + std::string(body));
  }

  // Head and body of the next reply; empty when the stream ended before.
  std::string ReadReply() {
    size_t head_size = 0;
    while ((head_size = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return "";
    }
    head_size += 4;
    size_t size = head_size;
    const size_t field = buffer_.find("Content-Length: ");
    if (field < head_size) size += std::strtoull(buffer_.c_str() + field + 16, nullptr, 10);
    while (buffer_.size() < size) {
      if (!ReadMore()) return "";
    }
    const std::string reply = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }

  // "STATUS BODY".
  std::string Ask(std::string_view body, std::string_view fields = "") {
    Post(body, fields);
    return Short(ReadReply());
  }
  static std::string Short(const std::string& reply) {
    if (reply.empty()) return "";
    return reply.substr(9, 3) + " " + reply.substr(reply.find("\r\n\r\n") + 4);
  }

  // True when the server ends the stream, whatever it says before.
  bool IsEnded() {
    while (ReadMore()) {
    }
    return is_ended_;
  }

 private:
  bool ReadMore() {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, 10'000) <= 0) {
      ADD_FAILURE() << "nothing came for ten seconds";
      return false;
    }
    char bytes[65536];
    const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
    if (size <= 0) {
      is_ended_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(size));
    return true;
  }

  int fd_;
  bool is_connected_ = false;
  bool is_ended_ = false;
  std::string buffer_;
};

}  // namespace headrace::testing
