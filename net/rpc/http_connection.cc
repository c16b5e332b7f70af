#include "net/rpc/http_connection.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/socket.h>

#include <algorithm>

#include "engine/base/check.h"

namespace headrace {
namespace {

// Bytes that are read ahead of what has been looked at.
constexpr size_t kReadAheadBytes = 64 << 10;
// A body may make slow progress for so many timeouts in all.
constexpr int kBodyTimeouts = 10;
constexpr int64_t kLingerMs = 2000;
constexpr uint64_t kLingerBytesMax = 64 << 20;

timeval ToTimeval(int64_t milliseconds) {
  return {static_cast<time_t>(milliseconds / 1000), static_cast<suseconds_t>(milliseconds % 1000 * 1000)};
}

HttpReply Plain(int status, std::string body = {}) {
  HttpReply reply;
  reply.status = status;
  if (!body.empty()) reply.fields.push_back({"Content-Type", "text/plain"});
  reply.body = std::move(body);
  return reply;
}

}  // namespace

HttpConnection::HttpConnection(HttpServer& server, uint64_t id, int fd, const Address& peer)
    : server_(server),
      id_(id),
      peer_(peer),
      fd_(fd),
      phase_began_(std::chrono::steady_clock::now()),
      reader_(server.options_.body_bytes_max) {}

HttpConnection::~HttpConnection() {
  server_.Release(claimed_bytes_);
  if (timer_ != nullptr) event_free(timer_);
  if (stream_ != nullptr) {
    bufferevent_free(stream_);  // closes the socket
  } else {
    evutil_closesocket(fd_);
  }
}

bool HttpConnection::Begin() {
  timer_ = event_new(server_.base_, -1, 0, OnTimer, this);
  stream_ = bufferevent_socket_new(server_.base_, fd_, BEV_OPT_CLOSE_ON_FREE);
  if (timer_ == nullptr || stream_ == nullptr) return false;
  bufferevent_setcb(stream_, OnReadable, OnWritten, OnEvent, this);
  bufferevent_setwatermark(stream_, EV_READ, 0, kReadAheadBytes);
  const timeval timeout = ToTimeval(server_.options_.timeout_ms);
  bufferevent_set_timeouts(stream_, nullptr, &timeout);
  SetTimer(server_.options_.timeout_ms);
  return bufferevent_enable(stream_, EV_READ | EV_WRITE) == 0;
}

void HttpConnection::Enter(Phase phase) {
  phase_ = phase;
  phase_began_ = std::chrono::steady_clock::now();
  ClearTimer();
  // A client that sends ahead waits in the kernel until its turn.
  if (phase == Phase::kReading || phase == Phase::kLingering) {
    bufferevent_enable(stream_, EV_READ);
  } else {
    bufferevent_disable(stream_, EV_READ);
  }
}

void HttpConnection::SetTimer(int64_t milliseconds) {
  const timeval after = ToTimeval(milliseconds);
  event_add(timer_, &after);
}

void HttpConnection::ClearTimer() { event_del(timer_); }

void HttpConnection::Close() { server_.Forget(id_); }

void HttpConnection::OnReadable(bufferevent* stream, void* self) {
  auto& connection = *static_cast<HttpConnection*>(self);
  if (connection.phase_ == Phase::kReading) return connection.Pump();
  if (connection.phase_ != Phase::kLingering) return;
  evbuffer* const input = bufferevent_get_input(stream);
  connection.lingered_bytes_ += evbuffer_get_length(input);
  evbuffer_drain(input, evbuffer_get_length(input));
  if (connection.lingered_bytes_ > kLingerBytesMax) connection.Close();
}

void HttpConnection::OnWritten(bufferevent* stream, void* self) {
  auto& connection = *static_cast<HttpConnection*>(self);
  if (connection.phase_ != Phase::kWriting || evbuffer_get_length(bufferevent_get_output(stream)) != 0) return;
  connection.server_.Release(connection.claimed_bytes_);
  connection.claimed_bytes_ = 0;
  if (!connection.keeps_alive_) return connection.Linger();
  connection.reader_ = HttpRequestReader(connection.server_.options_.body_bytes_max);
  connection.Enter(Phase::kReading);
  connection.SetTimer(connection.server_.options_.timeout_ms);
  connection.Pump();
}

void HttpConnection::OnEvent(bufferevent*, short, void* self) {
  // The end of the stream, a failure, or a client that does not read: nothing more can be done for it.
  static_cast<HttpConnection*>(self)->Close();
}

void HttpConnection::OnTimer(int, short, void* self) {
  auto& connection = *static_cast<HttpConnection*>(self);
  if (connection.phase_ == Phase::kDeterring) {
    HttpReply reply = std::move(connection.refusal_->reply);
    connection.refusal_.reset();
    return connection.Reply(std::move(reply));
  }
  connection.Close();
}

void HttpConnection::Pump() {
  evbuffer* const input = bufferevent_get_input(stream_);
  while (phase_ == Phase::kReading) {
    switch (reader_.state()) {
      case HttpRequestReader::State::kHeadComplete:
        OnHead();
        continue;
      case HttpRequestReader::State::kComplete:
        return OnRequest();
      case HttpRequestReader::State::kFailed: {
        HttpReply reply = Plain(reader_.failure());
        reply.ends_connection = true;
        return Reply(std::move(reply));
      }
      case HttpRequestReader::State::kHead:
      case HttpRequestReader::State::kBody:
        break;
    }
    const size_t size = evbuffer_get_contiguous_space(input);
    if (size == 0) return;
    const unsigned char* const bytes = evbuffer_pullup(input, static_cast<ev_ssize_t>(size));
    const bool was_untouched = reader_.is_untouched();
    evbuffer_drain(input, reader_.Take({reinterpret_cast<const char*>(bytes), size}));
    // A head has its time from its first byte, however slowly it trickles in.
    if (was_untouched && !reader_.is_untouched()) {
      Enter(Phase::kReading);
      SetTimer(server_.options_.timeout_ms);
    }
    if (reader_.state() == HttpRequestReader::State::kBody) OnBodyProgress();
  }
}

void HttpConnection::OnHead() {
  HttpRequest& request = reader_.request();
  request.peer = peer_;
  version_minor_ = request.version_minor;
  std::optional<HttpRefusal> refusal;
  if (!IsAllowedClient(server_.options_.allow, peer_)) {
    refusal = HttpRefusal{.reply = Plain(403)};
  } else {
    refusal = server_.service_.Refuse(request);
  }
  if (!refusal && !server_.Claim(reader_.body_bytes_expected())) {
    refusal = HttpRefusal{.reply = Plain(503, "Too many bytes of requests and replies under way")};
  }
  if (refusal) {
    // Who asks for leave gets the refusal instead, and may then send the body or not: the stream cannot go on.
    if (reader_.expects_continue()) {
      refusal->reply.ends_connection = true;
      return Refuse(*std::move(refusal));
    }
    refusal_ = std::move(refusal);
    reader_.SkipBody();
    return;
  }
  claimed_bytes_ = reader_.body_bytes_expected();
  if (reader_.expects_continue()) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    bufferevent_write(stream_, kContinue.data(), kContinue.size());
  }
  reader_.KeepBody();
}

void HttpConnection::OnBodyProgress() {
  if (!refusal_ && reader_.body_bytes_expected() > claimed_bytes_) {
    const uint64_t more = reader_.body_bytes_expected() - claimed_bytes_;
    if (!server_.Claim(more)) {
      HttpReply reply = Plain(503, "Too many bytes of requests and replies under way");
      reply.ends_connection = true;
      return Reply(std::move(reply));
    }
    claimed_bytes_ += more;
  }
  const auto age = std::chrono::steady_clock::now() - phase_began_;
  const int64_t age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
  const int64_t left_ms = server_.options_.timeout_ms * kBodyTimeouts - age_ms;
  SetTimer(std::clamp<int64_t>(left_ms, 1, server_.options_.timeout_ms));
}

void HttpConnection::OnRequest() {
  if (refusal_) {
    HttpRefusal refusal = *std::move(refusal_);
    refusal_.reset();
    return Refuse(std::move(refusal));
  }
  keeps_alive_ = reader_.keeps_alive();
  const uint64_t request_bytes = claimed_bytes_;
  // From here on the bytes are the worker's, and are released with its answer.
  claimed_bytes_ = 0;
  Enter(Phase::kAnswering);
  if (!server_.Dispatch(id_, request_bytes, std::move(reader_.request()))) {
    server_.Release(request_bytes);
    Reply(Plain(503, "Work queue depth exceeded"));
  }
}

void HttpConnection::OnAnswered(HttpReply reply) {
  HR_CHECK(phase_ == Phase::kAnswering);
  Reply(std::move(reply));
}

void HttpConnection::Refuse(HttpRefusal refusal) {
  if (!refusal.deters) return Reply(std::move(refusal.reply));
  refusal_ = std::move(refusal);
  Enter(Phase::kDeterring);
  SetTimer(server_.NextDeterrenceMs());
}

void HttpConnection::Reply(HttpReply reply) {
  const bool was_answering = phase_ == Phase::kAnswering;
  if (!was_answering) keeps_alive_ = reader_.state() == HttpRequestReader::State::kComplete && reader_.keeps_alive();
  if (reply.ends_connection || is_stopping_) keeps_alive_ = false;
  Enter(Phase::kWriting);
  // A reply is there already: it counts, and is not refused.
  server_.Release(claimed_bytes_);
  claimed_bytes_ = reply.body.size();
  server_.bytes_under_way_ += claimed_bytes_;
  const std::string head = HttpReplyHead(reply, keeps_alive_, version_minor_);
  evbuffer* const output = bufferevent_get_output(stream_);
  evbuffer_add(output, head.data(), head.size());
  auto* const body = new std::string(std::move(reply.body));
  const auto free_body = [](const void*, size_t, void* owned) { delete static_cast<std::string*>(owned); };
  if (body->empty() || evbuffer_add_reference(output, body->data(), body->size(), free_body, body) != 0) delete body;
}

void HttpConnection::Linger() {
  // Closing with bytes unread would reset the stream, and the client might never see the reply.
  Enter(Phase::kLingering);
  shutdown(fd_, SHUT_WR);
  SetTimer(kLingerMs);
}

void HttpConnection::BeginStop() {
  is_stopping_ = true;
  if (phase_ == Phase::kReading || phase_ == Phase::kLingering || phase_ == Phase::kDeterring) return Close();
  if (phase_ == Phase::kWriting) keeps_alive_ = false;
}

}  // namespace headrace
