#include "net/discovery/ares_lookup.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace headrace {
namespace {

constexpr int kAttemptTimeoutMs = 3'000;
constexpr int kAttempts = 2;
// How long a stop may have to wait.
constexpr int kTurnMsMax = 100;

absl::Status AresFailure(std::string_view what, int code) {
  return absl::UnavailableError(absl::StrCat(std::string(what), ": ", ares_strerror(code), "."));
}

// A list in c-ares' sense, whose links stay within the vector.
std::vector<ares_addr_port_node> ServerList(const std::vector<Address>& servers) {
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (size_t i = 0; i < servers.size(); ++i) {
    ares_addr_port_node& node = nodes[i];
    node.next = i + 1 == servers.size() ? nullptr : &nodes[i + 1];
    node.family = servers[i].is_ipv4() ? AF_INET : AF_INET6;
    if (servers[i].is_ipv4()) {
      std::memcpy(&node.addr.addr4, &servers[i].ip[12], 4);
    } else {
      std::memcpy(&node.addr.addr6, servers[i].ip.data(), 16);
    }
    node.udp_port = node.tcp_port = servers[i].port;
  }
  return nodes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AresLookup>> AresLookup::Open(const std::vector<Address>& servers, Doorbell& reactor) {
  if (const int code = ares_library_init(ARES_LIB_INIT_ALL); code != ARES_SUCCESS) {
    return AresFailure("Cannot prepare to ask for names", code);
  }
  ares_options options{};
  options.flags = ARES_FLAG_NOSEARCH;
  options.timeout = kAttemptTimeoutMs;
  options.tries = kAttempts;
  char lookups[] = "b";
  options.lookups = lookups;
  ares_channel channel = nullptr;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
  if (const int code = ares_init_options(&channel, &options, mask); code != ARES_SUCCESS) {
    ares_library_cleanup();
    return AresFailure("Cannot prepare to ask for names", code);
  }
  std::unique_ptr<AresLookup> lookup(new AresLookup(channel, reactor));
  if (!servers.empty()) {
    std::vector<ares_addr_port_node> nodes = ServerList(servers);
    const int code = ares_set_servers_ports(channel, nodes.data());
    if (code != ARES_SUCCESS) return AresFailure("Cannot ask the DNS servers that were named", code);
  }
  lookup->thread_ = std::thread([raw = lookup.get()] { raw->Run(); });
  return lookup;
}

AresLookup::~AresLookup() {
  {
    const std::lock_guard lock(mutex_);
    must_stop_ = true;
  }
  asked_.notify_all();
  if (thread_.joinable()) thread_.join();
  ares_destroy(channel_);
  ares_library_cleanup();
}

void AresLookup::Ask(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(name);
  }
  asked_.notify_all();
}

std::vector<NameAnswer> AresLookup::TakeAnswers() {
  if (!has_answers_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  has_answers_.store(false, std::memory_order_relaxed);
  return std::exchange(answers_, {});
}

void AresLookup::Answer(NameAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    // Release: who sees it finds the answer.
    has_answers_.store(true, std::memory_order_release);
  }
  reactor_.Ring();
}

void AresLookup::Begin(const std::string& name) {
  struct Question {
    AresLookup* lookup;
    std::string name;
  };
  const auto when_answered = [](void* argument, int code, int, ares_addrinfo* result) {
    const std::unique_ptr<Question> question(static_cast<Question*>(argument));
    --question->lookup->under_way_;
    NameAnswer answer{question->name, {}, ""};
    for (const ares_addrinfo_node* node = result == nullptr ? nullptr : result->nodes; node != nullptr; node = node->ai_next) {
      sockaddr_storage storage{};
      if (static_cast<size_t>(node->ai_addrlen) > sizeof(storage)) continue;
      std::memcpy(&storage, node->ai_addr, static_cast<size_t>(node->ai_addrlen));
      Address address = Address::FromSocket(storage);
      address.port = 0;
      answer.addresses.push_back(address);
    }
    if (result != nullptr) ares_freeaddrinfo(result);
    if (answer.addresses.empty()) answer.failure = code == ARES_SUCCESS ? "no addresses" : ares_strerror(code);
    question->lookup->Answer(std::move(answer));
  };
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  // Sorting would open a socket to every address that was told.
  hints.ai_flags = ARES_AI_NOSORT;
  ++under_way_;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, when_answered, new Question{this, name});
}

void AresLookup::Turn() {
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  const auto bits = static_cast<unsigned>(ares_getsock(channel_, sockets, ARES_GETSOCK_MAXNUM));
  std::vector<pollfd> ready;
  for (unsigned i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    const bool reads = ARES_GETSOCK_READABLE(bits, i);
    const bool writes = ARES_GETSOCK_WRITABLE(bits, i);
    if (reads || writes) {
      ready.push_back({sockets[i], static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), 0});
    }
  }
  timeval limit{0, kTurnMsMax * 1000};
  timeval memory{};
  const timeval* timeout = ares_timeout(channel_, &limit, &memory);
  const auto wait_ms = static_cast<int>(timeout->tv_sec * 1000 + timeout->tv_usec / 1000);
  poll(ready.data(), ready.size(), std::clamp(wait_ms, 1, kTurnMsMax));
  for (const pollfd& one : ready) {
    const bool reads = (one.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writes = (one.revents & (POLLOUT | POLLERR | POLLHUP)) != 0;
    if (reads || writes) {
      ares_process_fd(channel_, reads ? one.fd : ARES_SOCKET_BAD, writes ? one.fd : ARES_SOCKET_BAD);
    }
  }
  // Time has passed, too: attempts may be over.
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void AresLookup::Run() {
  while (true) {
    std::deque<std::string> questions;
    {
      std::unique_lock lock(mutex_);
      asked_.wait(lock, [&] { return must_stop_ || under_way_ != 0 || !questions_.empty(); });
      if (must_stop_) return;
      questions.swap(questions_);
    }
    for (const std::string& name : questions) Begin(name);
    if (under_way_ != 0) Turn();
  }
}

}  // namespace headrace
