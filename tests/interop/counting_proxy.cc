#include "tests/interop/counting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "engine/primitives/block_header.h"

namespace headrace::testing {
namespace {

constexpr size_t kHeaderBytes = 24;
// As much of a body as anybody looks at: a block's header, or a count.
constexpr size_t kBodyStartBytes = BlockHeader::kSerializedBytes;
constexpr size_t kChunkBytes = 65536;

int NewSocket(uint16_t port, sockaddr_in* address) {
  *address = {};
  address->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address->sin_port = htons(port);
  return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

bool WriteAll(int fd, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

// Follows one direction of the protocol: 24-byte headers (magic, command, length, checksum) and bodies.
class MessageFollower {
 public:
  // Calls on_count(command, count) when the count that a body begins with is known, and on_end(command, start of the body)
  // after it.
  template <typename OnCount, typename OnEnd>
  void Feed(const uint8_t* bytes, size_t size, OnCount on_count, OnEnd on_end) {
    for (size_t at = 0; at < size;) {
      if (head_.size() < kHeaderBytes) {
        head_.push_back(bytes[at++]);
        if (head_.size() < kHeaderBytes) continue;
        command_ = std::string(reinterpret_cast<const char*>(&head_[4]), strnlen(reinterpret_cast<const char*>(&head_[4]), 12));
        std::memcpy(&body_left_, &head_[16], 4);
        body_start_.clear();
      } else {
        const size_t take = std::min<size_t>(body_left_, size - at);
        for (size_t i = 0; i < take && body_start_.size() < kBodyStartBytes; ++i) {
          body_start_.push_back(bytes[at + i]);
          if (CountIsComplete()) on_count(command_, Count());
        }
        at += take;
        body_left_ -= static_cast<uint32_t>(take);
      }
      if (body_left_ == 0 && head_.size() == kHeaderBytes) {
        on_end(command_, body_start_);
        head_.clear();
      }
    }
  }

 private:
  // The compact size at the start of the body: one byte, or three (a request never has more than 50,000 items).
  bool CountIsComplete() const { return body_start_[0] < 0xfd ? body_start_.size() == 1 : body_start_.size() == 3; }
  uint64_t Count() const { return body_start_.size() == 1 ? body_start_[0] : body_start_[1] | body_start_[2] << 8; }

  std::vector<uint8_t> head_;
  std::vector<uint8_t> body_start_;
  std::string command_;
  uint32_t body_left_ = 0;
};

}  // namespace

struct CountingProxy::Connection {
  int node_fd;
  int target_fd;
  MessageFollower from_node;
  MessageFollower to_node;
  uint64_t requested = 0;
  uint64_t delivered = 0;

  ~Connection() {
    close(node_fd);
    close(target_fd);
  }
};

CountingProxy::CountingProxy(uint16_t target_port, uint64_t bytes_per_second)
    : target_port_(target_port), bytes_per_second_(bytes_per_second) {
  sockaddr_in address;
  listener_ = NewSocket(0, &address);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

CountingProxy::~CountingProxy() {
  stops_ = true;
  thread_.join();
  close(listener_);
}

std::vector<Hash256> CountingProxy::TakeDelivered() {
  const std::lock_guard lock(delivered_mutex_);
  return std::exchange(delivered_, {});
}

std::vector<uint8_t> CountingProxy::VersionStart() {
  const std::lock_guard lock(delivered_mutex_);
  return version_start_;
}

uint64_t CountingProxy::messages_from_node(const std::string& command) const {
  const std::lock_guard lock(counts_mutex_);
  const auto found = messages_from_node_.find(command);
  return found == messages_from_node_.end() ? 0 : found->second;
}

std::vector<uint64_t> CountingProxy::counts_to_node(const std::string& command) const {
  const std::lock_guard lock(counts_mutex_);
  const auto found = counts_to_node_.find(command);
  return found == counts_to_node_.end() ? std::vector<uint64_t>() : found->second;
}

void CountingProxy::Run() {
  std::vector<std::unique_ptr<Connection>> connections;
  while (!stops_) {
    std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
    for (const auto& connection : connections) {
      fds.push_back({connection->node_fd, POLLIN, 0});
      fds.push_back({connection->target_fd, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), 50);
    for (size_t i = connections.size(); i-- > 0;) {
      const bool is_open = (fds[1 + 2 * i].revents == 0 || Relay(*connections[i], false)) &&
                           (fds[2 + 2 * i].revents == 0 || Relay(*connections[i], true));
      if (!is_open) connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (fds[0].revents == 0) continue;
    sockaddr_in address;
    auto connection = std::make_unique<Connection>();
    connection->node_fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    connection->target_fd = NewSocket(target_port_, &address);
    if (connection->node_fd < 0 || connect(connection->target_fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) continue;
    ++connections_;
    connections.push_back(std::move(connection));
  }
}

bool CountingProxy::Relay(Connection& connection, bool is_to_node) {
  uint8_t buffer[kChunkBytes];
  const ssize_t size = recv(is_to_node ? connection.target_fd : connection.node_fd, buffer, sizeof(buffer), 0);
  if (size <= 0) return false;
  const size_t count = static_cast<size_t>(size);
  if (is_to_node) {
    const auto on_count = [&](const std::string& command, uint64_t items) {
      if (command != "inv" && command != "headers") return;
      const std::lock_guard lock(counts_mutex_);
      counts_to_node_[command].push_back(items);
    };
    connection.to_node.Feed(buffer, count, on_count, [&](const std::string& command, const std::vector<uint8_t>& start) {
      if (command != "block") return;
      const std::lock_guard lock(delivered_mutex_);
      delivered_.push_back(BlockHeader::Load(start.data()).Hash());
      ++connection.delivered;
      ++blocks_delivered_;
    });
    if (bytes_per_second_ > 0) std::this_thread::sleep_for(std::chrono::microseconds(count * 1'000'000 / bytes_per_second_));
    return WriteAll(connection.node_fd, buffer, count);
  }
  connection.from_node.Feed(buffer, count, [&](const std::string& command, uint64_t items) {
    if (command != "getdata") return;
    connection.requested += items;
    blocks_in_flight_max_ = std::max(blocks_in_flight_max_.load(), connection.requested - std::min(connection.requested, connection.delivered));
  }, [&](const std::string& command, const std::vector<uint8_t>& start) {
    {
      const std::lock_guard lock(counts_mutex_);
      ++messages_from_node_[command];
    }
    if (command != "version") return;
    const std::lock_guard lock(delivered_mutex_);
    version_start_ = start;
  });
  return WriteAll(connection.target_fd, buffer, count);
}

}  // namespace headrace::testing
