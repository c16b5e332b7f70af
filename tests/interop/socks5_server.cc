#include "tests/interop/socks5_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace headrace::testing {
namespace {

constexpr uint8_t kVersion = 5;
constexpr uint8_t kNoPassword = 0;
constexpr uint8_t kPassword = 2;
constexpr uint8_t kHostUnreachable = 4;

sockaddr_in LoopbackPort(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool Read(int fd, uint8_t* bytes, size_t size) { return recv(fd, bytes, size, MSG_WAITALL) == static_cast<ssize_t>(size); }
bool Read(int fd, std::string& text, size_t size) {
  text.resize(size);
  return size == 0 || Read(fd, reinterpret_cast<uint8_t*>(text.data()), size);
}
bool Write(int fd, const std::vector<uint8_t>& bytes) {
  return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

// One way, as much as there is; false when that way has ended.
bool Pass(int from_fd, int to_fd) {
  uint8_t buffer[65536];
  const ssize_t size = recv(from_fd, buffer, sizeof(buffer), 0);
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t one = send(to_fd, buffer + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (one <= 0) return false;
    sent += one;
  }
  return size > 0;
}

// The address of a request, as text.
bool ReadHost(int fd, uint8_t type, std::string& host) {
  constexpr uint8_t kIpv4 = 1;
  constexpr uint8_t kName = 3;
  constexpr uint8_t kIpv6 = 4;
  if (type == kName) {
    uint8_t size = 0;
    return Read(fd, &size, 1) && Read(fd, host, size);
  }
  if (type != kIpv4 && type != kIpv6) return false;
  uint8_t ip[16];
  char text[INET6_ADDRSTRLEN];
  if (!Read(fd, ip, type == kIpv4 ? 4 : 16)) return false;
  host = inet_ntop(type == kIpv4 ? AF_INET : AF_INET6, ip, text, sizeof(text));
  return true;
}

}  // namespace

Socks5Server::Socks5Server(std::map<std::string, uint16_t> targets, bool wants_password)
    : targets_(std::move(targets)), wants_password_(wants_password) {
  sockaddr_in address = LoopbackPort(0);
  socklen_t size = sizeof(address);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

Socks5Server::~Socks5Server() {
  stops_ = true;
  thread_.join();
  close(listener_);
}

std::set<std::string> Socks5Server::Asked() {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::vector<std::string> Socks5Server::Users() {
  const std::lock_guard lock(mutex_);
  return users_;
}

int Socks5Server::Introduce(int client_fd) {
  const timeval patience{5, 0};
  setsockopt(client_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  uint8_t head[2];
  std::string methods;
  if (!Read(client_fd, head, 2) || head[0] != kVersion || !Read(client_fd, methods, head[1])) return -1;
  const uint8_t method = wants_password_ ? kPassword : kNoPassword;
  if (methods.find(static_cast<char>(method)) == std::string::npos || !Write(client_fd, {kVersion, method})) return -1;
  if (wants_password_) {
    std::string user;
    std::string password;
    uint8_t size = 0;
    if (!Read(client_fd, head, 2) || !Read(client_fd, user, head[1]) || !Read(client_fd, &size, 1) ||
        !Read(client_fd, password, size) || !Write(client_fd, {1, 0})) {
      return -1;
    }
    const std::lock_guard lock(mutex_);
    users_.push_back(user);
  }
  uint8_t request[4];
  uint8_t port[2];
  std::string host;
  if (!Read(client_fd, request, 4) || request[1] != 1 || !ReadHost(client_fd, request[3], host) || !Read(client_fd, port, 2)) {
    return -1;
  }
  const std::string target = (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port[0] << 8 | port[1]);
  {
    const std::lock_guard lock(mutex_);
    asked_.insert(target);
  }
  const auto found = targets_.find(target);
  if (found == targets_.end()) {
    Write(client_fd, {kVersion, kHostUnreachable, 0, 1, 0, 0, 0, 0, 0, 0});
    return -1;
  }
  const int target_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackPort(found->second);
  if (connect(target_fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
      Write(client_fd, {kVersion, 0, 0, 1, 0, 0, 0, 0, 0, 0})) {
    return target_fd;
  }
  close(target_fd);
  return -1;
}

void Socks5Server::Run() {
  std::vector<Connection> connections;
  while (!stops_) {
    std::vector<pollfd> fds = {{listener_, POLLIN, 0}};
    for (const Connection& connection : connections) {
      fds.push_back({connection.client_fd, POLLIN, 0});
      fds.push_back({connection.target_fd, POLLIN, 0});
    }
    poll(fds.data(), fds.size(), 20);
    for (size_t i = connections.size(); i-- > 0;) {
      const Connection connection = connections[i];
      const bool is_open = (fds[1 + 2 * i].revents == 0 || Pass(connection.client_fd, connection.target_fd)) &&
                           (fds[2 + 2 * i].revents == 0 || Pass(connection.target_fd, connection.client_fd));
      if (is_open) continue;
      close(connection.client_fd);
      close(connection.target_fd);
      connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (fds[0].revents == 0) continue;
    const int client_fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client_fd < 0) continue;
    const int target_fd = Introduce(client_fd);
    if (target_fd >= 0) {
      connections.push_back({client_fd, target_fd});
    } else {
      close(client_fd);
    }
  }
  for (const Connection& connection : connections) {
    close(connection.client_fd);
    close(connection.target_fd);
  }
}

}  // namespace headrace::testing
