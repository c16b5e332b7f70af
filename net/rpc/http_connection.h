// One client of the HTTP server, from accept to close. The server's thread alone.
#pragma once

#include <chrono>
#include <cstdint>

#include "net/rpc/http_message.h"
#include "net/rpc/http_request_reader.h"
#include "net/rpc/http_server.h"
#include "net/transport/address.h"

struct bufferevent;
struct event;

namespace headrace {

class HttpConnection {
 public:
  // Takes over the socket.
  HttpConnection(HttpServer& server, uint64_t id, int fd, const Address& peer);
  ~HttpConnection();
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Begins to read. False when the event loop refused the socket.
  bool Begin();
  // A worker's reply to the request that was dispatched.
  void OnAnswered(HttpReply reply);
  // The server takes no more requests: ends what is not being answered. May delete this.
  void BeginStop();

  // The server waits for the client's bytes.
  bool is_waiting() const { return phase_ == Phase::kReading; }
  std::chrono::steady_clock::time_point phase_began() const { return phase_began_; }

 private:
  enum class Phase : uint8_t {
    kReading,    // a request, or between two
    kAnswering,  // a worker is at it
    kDeterring,  // a refusal waits for its time
    kWriting,    // the reply
    kLingering,  // the reply is out and the stream ends; what the client still sends is passed over
  };

  static void OnReadable(bufferevent* stream, void* self);
  static void OnWritten(bufferevent* stream, void* self);
  static void OnEvent(bufferevent* stream, short what, void* self);
  static void OnTimer(int fd, short what, void* self);

  void Enter(Phase phase);
  void SetTimer(int64_t milliseconds);
  void ClearTimer();
  // Reads what is there, as far as it goes. May delete this.
  void Pump();
  void OnHead();
  void OnRequest();
  void OnBodyProgress();
  void Reply(HttpReply reply);
  void Refuse(HttpRefusal refusal);
  void Linger();
  // Deletes this.
  void Close();

  HttpServer& server_;
  const uint64_t id_;
  const Address peer_;
  const int fd_;
  bufferevent* stream_ = nullptr;
  event* timer_ = nullptr;
  Phase phase_ = Phase::kReading;
  std::chrono::steady_clock::time_point phase_began_;
  HttpRequestReader reader_;
  std::optional<HttpRefusal> refusal_;  // of the request whose body is passed over, or that waits for its time
  bool keeps_alive_ = true;
  bool is_stopping_ = false;
  int version_minor_ = 1;
  uint64_t claimed_bytes_ = 0;
  uint64_t lingered_bytes_ = 0;
};

}  // namespace headrace
