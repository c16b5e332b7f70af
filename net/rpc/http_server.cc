#include "net/rpc/http_server.h"

#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "net/rpc/http_connection.h"

namespace headrace {
namespace {

constexpr int kListenBacklog = 128;
constexpr int64_t kAcceptAgainMs = 200;
// Between two replies that deter: a hundred guesses a second over all connections.
constexpr int64_t kDeterrenceSpacingMs = 10;

timeval ToTimeval(int64_t milliseconds) {
  return {static_cast<time_t>(milliseconds / 1000), static_cast<suseconds_t>(milliseconds % 1000 * 1000)};
}

}  // namespace

bool IsAllowedClient(std::span<const Subnet> allow, const Address& client) {
  return client.is_loopback() ||
         std::any_of(allow.begin(), allow.end(), [&](const Subnet& subnet) { return subnet.Contains(client); });
}

HttpServer::HttpServer(const HttpServerOptions& options, HttpService& service) : options_(options), service_(service) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, HttpService& service) {
  std::unique_ptr<HttpServer> server(new HttpServer(options, service));
  server->base_ = event_base_new();
  server->wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (server->base_ == nullptr || server->wake_fd_ < 0) {
    return absl::UnavailableError(
        "the RPC server cannot make its event loop: too many files are open; raise the limit (ulimit -n).");
  }
  server->wake_event_ = event_new(
      server->base_, server->wake_fd_, EV_READ | EV_PERSIST,
      [](int, short, void* self) { static_cast<HttpServer*>(self)->OnWake(); }, server.get());
  server->accept_again_event_ = event_new(
      server->base_, -1, 0,
      [](int, short, void* self) {
        for (evconnlistener* listener : static_cast<HttpServer*>(self)->listeners_) evconnlistener_enable(listener);
      },
      server.get());
  server->patience_event_ = event_new(
      server->base_, -1, 0, [](int, short, void* self) { event_base_loopbreak(static_cast<HttpServer*>(self)->base_); },
      server.get());
  HR_CHECK(server->wake_event_ != nullptr && event_add(server->wake_event_, nullptr) == 0);
  HR_CHECK(server->accept_again_event_ != nullptr && server->patience_event_ != nullptr);
  HR_RETURN_IF_ERROR(server->Listen());
  server->workers_ = std::make_unique<WorkerPool>(options.worker_count, options.waiting_max);
  server->thread_ = std::thread([server = server.get()] { server->Run(); });
  return server;
}

HttpServer::~HttpServer() {
  if (thread_.joinable()) Stop(std::chrono::milliseconds(0));
  workers_.reset();
  connections_.clear();
  for (evconnlistener* listener : listeners_) evconnlistener_free(listener);
  for (event* one : {wake_event_, accept_again_event_, patience_event_}) {
    if (one != nullptr) event_free(one);
  }
  if (base_ != nullptr) event_base_free(base_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

absl::Status HttpServer::Listen() {
  for (const HttpBinding& binding : options_.bind) HR_RETURN_IF_ERROR(ListenOn(binding));
  if (listening_.empty())
    return absl::UnavailableError("none of the addresses of the RPC server is one of this machine's.");
  return absl::OkStatus();
}

absl::Status HttpServer::ListenOn(const HttpBinding& binding) {
  sockaddr_storage address;
  const socklen_t size = binding.address.ToSocket(address);
  unsigned options = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE;
  if (!binding.address.is_ipv4()) options |= LEV_OPT_BIND_IPV6ONLY;
  evconnlistener* const listener = evconnlistener_new_bind(
      base_,
      [](evconnlistener*, int fd, sockaddr* from, int from_size, void* self) {
        sockaddr_storage peer{};
        std::memcpy(&peer, from, std::min(static_cast<size_t>(from_size), sizeof(peer)));
        static_cast<HttpServer*>(self)->OnAccepted(fd, Address::FromSocket(peer));
      },
      this, options, kListenBacklog, reinterpret_cast<sockaddr*>(&address), static_cast<int>(size));
  if (listener == nullptr) {
    const int error = errno;
    const bool is_no_address_here = error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
    if (binding.is_optional && is_no_address_here) return absl::OkStatus();
    const std::string remedy = error == EADDRINUSE
                                   ? "another program listens there; end it or choose another port with -rpcport"
                               : is_no_address_here ? "it is no address of this machine; check -rpcbind"
                               : error == EACCES    ? "ports below 1024 need privileges; choose another with -rpcport"
                                                    : "check -rpcbind and -rpcport";
    return absl::UnavailableError(absl::StrCat("the RPC server cannot listen on ", binding.address.ToString(), " (",
                                               std::strerror(error), "): ", remedy, "."));
  }
  evconnlistener_set_error_cb(listener,
                              [](evconnlistener*, void* self) { static_cast<HttpServer*>(self)->OnAcceptFailed(); });
  listeners_.push_back(listener);
  sockaddr_storage bound{};
  socklen_t bound_size = sizeof(bound);
  getsockname(evconnlistener_get_fd(listener), reinterpret_cast<sockaddr*>(&bound), &bound_size);
  listening_.push_back(Address::FromSocket(bound));
  return absl::OkStatus();
}

void HttpServer::Run() {
  pthread_setname_np(pthread_self(), "http");
  // A client that closes its socket is no reason to end the program.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  event_base_dispatch(base_);
  connections_.clear();
  // libevent closes the sockets of freed streams in its loop.
  event_base_loop(base_, EVLOOP_NONBLOCK);
  connection_count_.store(0, std::memory_order_relaxed);
}

void HttpServer::Stop(std::chrono::milliseconds patience) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_patience_ = patience;
  }
  Wake();
  thread_.join();
}

void HttpServer::OnAccepted(int fd, const Address& peer) {
  if (connections_.size() >= options_.connections_max && !MakeRoom()) {
    evutil_closesocket(fd);
    return;
  }
  const uint64_t id = ++last_connection_;
  auto connection = std::make_unique<HttpConnection>(*this, id, fd, peer);
  if (!connection->Begin()) return;
  connections_.emplace(id, std::move(connection));
  connection_count_.store(connections_.size(), std::memory_order_relaxed);
}

// No file descriptor or no memory for another connection: tries again soon, instead of at once and for ever.
void HttpServer::OnAcceptFailed() {
  HR_LOG(kWarning, kRpc, "cannot accept a connection: ", std::strerror(errno));
  for (evconnlistener* listener : listeners_) evconnlistener_disable(listener);
  const timeval after = ToTimeval(kAcceptAgainMs);
  event_add(accept_again_event_, &after);
}

// Ends the connection that has kept the server waiting longest. False when every one is being answered.
bool HttpServer::MakeRoom() {
  auto longest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (!it->second->is_waiting()) continue;
    if (longest == connections_.end() || it->second->phase_began() < longest->second->phase_began()) longest = it;
  }
  if (longest == connections_.end()) return false;
  connections_.erase(longest);
  return true;
}

bool HttpServer::Dispatch(uint64_t connection, uint64_t request_bytes, HttpRequest&& request) {
  // Shared, because a std::function is copyable.
  auto shared = std::make_shared<HttpRequest>(std::move(request));
  return workers_->Offer([this, connection, request_bytes, shared] {
    Post({connection, request_bytes, service_.Answer(*shared)});
  });
}

bool HttpServer::Claim(uint64_t bytes) {
  if (bytes > options_.bytes_under_way_max - std::min(bytes_under_way_, options_.bytes_under_way_max)) return false;
  bytes_under_way_ += bytes;
  return true;
}

void HttpServer::Release(uint64_t bytes) {
  HR_CHECK(bytes <= bytes_under_way_);
  bytes_under_way_ -= bytes;
}

int64_t HttpServer::NextDeterrenceMs() {
  const auto now = std::chrono::steady_clock::now();
  const auto earliest = now + std::chrono::milliseconds(options_.deterrence_ms);
  deterrence_free_ = std::max(earliest, deterrence_free_ + std::chrono::milliseconds(kDeterrenceSpacingMs));
  return std::chrono::duration_cast<std::chrono::milliseconds>(deterrence_free_ - now).count();
}

void HttpServer::Forget(uint64_t connection) {
  connections_.erase(connection);
  connection_count_.store(connections_.size(), std::memory_order_relaxed);
  EndIfDone();
}

void HttpServer::Post(Answered answered) {
  {
    const std::lock_guard lock(mutex_);
    answered_.push_back(std::move(answered));
  }
  Wake();
}

void HttpServer::Wake() {
  const uint64_t one = 1;
  // A full counter wakes as well, so that a failure here loses nothing.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof(one));
}

void HttpServer::OnWake() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t size = read(wake_fd_, &count, sizeof(count));
  std::vector<Answered> answered;
  bool must_stop = false;
  {
    const std::lock_guard lock(mutex_);
    answered.swap(answered_);
    must_stop = stop_patience_.has_value();
  }
  for (Answered& one : answered) {
    Release(one.request_bytes);
    const auto connection = connections_.find(one.connection);
    if (connection != connections_.end()) connection->second->OnAnswered(std::move(one.reply));
  }
  if (must_stop && !is_stopping_) BeginStop();
}

void HttpServer::BeginStop() {
  is_stopping_ = true;
  event_del(accept_again_event_);
  // Closed, not only disabled: the kernel would go on to take connections that nobody will ever answer.
  for (evconnlistener* listener : listeners_) evconnlistener_free(listener);
  listeners_.clear();
  std::vector<HttpConnection*> connections;
  for (const auto& [id, connection] : connections_) connections.push_back(connection.get());
  for (HttpConnection* connection : connections) connection->BeginStop();
  const timeval patience = ToTimeval(stop_patience_->count());
  event_add(patience_event_, &patience);
  EndIfDone();
}

void HttpServer::EndIfDone() {
  if (is_stopping_ && connections_.empty()) event_base_loopbreak(base_);
}

}  // namespace headrace
