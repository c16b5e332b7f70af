// An HTTP/1.1 server for an operator's tools: a few busy clients and many idle ones.
//
// One thread owns every socket (libevent's loop); worker threads answer. A connection has one request under way at a
// time; pipelined ones wait in the kernel. libevent's own evhttp is not used: it reads the whole body of whoever
// connects before it asks, and counts neither connections nor bytes.
//
// What a client costs at most, whatever it sends or does not send: a connection slot with one head (8 KiB) while it is
// a stranger; bodies of admitted requests and replies that are not read count against one budget. A head that is not
// whole in time ends its connection, so does a body or a reader that makes no progress. When slots run out, the
// connection that has kept the server waiting longest makes room.
//
// Threads: Start, Stop and the destructor belong to the owner.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "net/rpc/http_message.h"
#include "net/rpc/worker_pool.h"
#include "net/transport/address.h"
#include "net/transport/subnet.h"

struct event;
struct event_base;
struct evconnlistener;

namespace headrace {

class HttpConnection;

struct HttpRefusal {
  HttpReply reply;
  // The reply leaves late, so that guessing a password takes time. No worker waits meanwhile.
  bool deters = false;
};

// Who is served, and what is answered.
class HttpService {
 public:
  virtual ~HttpService() = default;
  // By the head alone, on the server's thread: quick. Nothing when the request may bring its body and be answered.
  virtual std::optional<HttpRefusal> Refuse(const HttpRequest& head) = 0;
  // On a worker thread.
  virtual HttpReply Answer(const HttpRequest& request) = 0;
};

struct HttpBinding {
  Address address;
  // Passed over where the machine has no such address.
  bool is_optional = false;
};

struct HttpServerOptions {
  std::vector<HttpBinding> bind;
  std::vector<Subnet> allow;  // beside loopback
  size_t worker_count = 4;
  size_t waiting_max = 64;  // requests that wait for a worker; 503 beyond
  int64_t timeout_ms = 30'000;
  size_t connections_max = 1024;
  uint64_t body_bytes_max = 32 << 20;
  uint64_t bytes_under_way_max = 256 << 20;  // bodies and replies together; 503 beyond
  int64_t deterrence_ms = 250;
};

// Loopback always is.
bool IsAllowedClient(std::span<const Subnet> allow, const Address& client);

class HttpServer {
 public:
  // Listens when this returns. `service` outlives the server.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HttpService& service);
  // Waits for the workers; Stop comes first if it has not been called.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes no more requests, lets those under way be answered for so long, and closes every connection. Workers may
  // still be at work for answers that nobody waits for any more.
  void Stop(std::chrono::milliseconds patience);

  // Where it listens; ports that were 0 are filled in.
  const std::vector<Address>& listening() const { return listening_; }

  size_t connection_count() const { return connection_count_.load(std::memory_order_relaxed); }

 private:
  friend class HttpConnection;

  struct Answered {
    uint64_t connection;
    uint64_t request_bytes;
    HttpReply reply;
  };

  HttpServer(const HttpServerOptions& options, HttpService& service);
  absl::Status Listen();
  absl::Status ListenOn(const HttpBinding& binding);
  void Run();

  // The server's thread, for connections.
  void OnAccepted(int fd, const Address& peer);
  void OnAcceptFailed();
  void OnWake();
  bool MakeRoom();
  // Hands the request to a worker; false when too many wait.
  bool Dispatch(uint64_t connection, uint64_t request_bytes, HttpRequest&& request);
  // Claims bytes of the budget; false when they are not there.
  bool Claim(uint64_t bytes);
  void Release(uint64_t bytes);
  // When the next reply that deters may leave, in milliseconds from now: they leave one after another.
  int64_t NextDeterrenceMs();
  void Forget(uint64_t connection);
  void BeginStop();
  void EndIfDone();

  // Any thread.
  void Post(Answered answered);
  void Wake();

  const HttpServerOptions options_;
  HttpService& service_;
  std::vector<Address> listening_;

  event_base* base_ = nullptr;
  event* wake_event_ = nullptr;
  event* accept_again_event_ = nullptr;
  event* patience_event_ = nullptr;
  int wake_fd_ = -1;
  std::vector<evconnlistener*> listeners_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<HttpConnection>> connections_;
  uint64_t last_connection_ = 0;
  std::atomic<size_t> connection_count_{0};
  uint64_t bytes_under_way_ = 0;
  std::chrono::steady_clock::time_point deterrence_free_;
  bool is_stopping_ = false;

  std::mutex mutex_;  // what follows
  std::vector<Answered> answered_;
  std::optional<std::chrono::milliseconds> stop_patience_;

  std::unique_ptr<WorkerPool> workers_;
  std::thread thread_;
};

}  // namespace headrace
