// A SOCKS5 server on loopback that stands between a node and the peers that it names: it connects each name that it knows to a
// port of 127.0.0.1, refuses all others, and remembers what it was asked for.
//
// A thread of its own; what it remembers may be read from any thread at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace headrace::testing {

class Socks5Server {
 public:
  // `targets`: from HOST:PORT as a client names it to a port of 127.0.0.1. `wants_password`: who has none is refused.
  Socks5Server(std::map<std::string, uint16_t> targets, bool wants_password);
  ~Socks5Server();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Each HOST:PORT that it was asked for, once.
  std::set<std::string> Asked();
  // The names that clients gave with their passwords, one for each connection.
  std::vector<std::string> Users();

 private:
  struct Connection {
    int client_fd;
    int target_fd;
  };

  void Run();
  // Talks to a client until it is connected; -1 when it is not going to be. Waits for it, but not for long.
  int Introduce(int client_fd);

  const std::map<std::string, uint16_t> targets_;
  const bool wants_password_;
  uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stops_{false};
  std::mutex mutex_;
  std::set<std::string> asked_;
  std::vector<std::string> users_;
  std::thread thread_;
};

}  // namespace headrace::testing
