#include "tools/cli/http_post.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace headrace {
namespace {

constexpr int64_t kTimeoutMaxS = 10 * 365 * 86'400;  // "for ever" to libevent, whose own zero means a default

struct Outcome {
  std::optional<PostAnswer> answer;
  std::optional<evhttp_request_error> error;
};

void OnAnswer(evhttp_request* request, void* to) {
  // Nothing, or no status, when the connection failed.
  if (request == nullptr || evhttp_request_get_response_code(request) == 0) return;
  PostAnswer answer;
  answer.status = evhttp_request_get_response_code(request);
  evbuffer* const input = evhttp_request_get_input_buffer(request);
  answer.body.resize(evbuffer_get_length(input));
  evbuffer_remove(input, answer.body.data(), answer.body.size());
  static_cast<Outcome*>(to)->answer = std::move(answer);
}

void OnError(evhttp_request_error error, void* to) { static_cast<Outcome*>(to)->error = error; }

}  // namespace

absl::StatusOr<PostAnswer> HttpPost(const std::string& host, uint16_t port, const std::string& authorization,
                                    const std::string& body, int64_t timeout_s) {
  const std::unique_ptr<event_base, decltype(&event_base_free)> base(event_base_new(), event_base_free);
  const std::unique_ptr<evhttp_connection, decltype(&evhttp_connection_free)> connection(
      evhttp_connection_base_new(base.get(), nullptr, host.c_str(), port), evhttp_connection_free);
  Outcome outcome;
  evhttp_request* const request = evhttp_request_new(OnAnswer, &outcome);
  if (base == nullptr || connection == nullptr || request == nullptr) return absl::UnavailableError("no memory");
  const int64_t limit_s = timeout_s == 0 ? kTimeoutMaxS : std::min(timeout_s, kTimeoutMaxS);
  evhttp_connection_set_timeout(connection.get(), static_cast<int>(limit_s));
  evhttp_request_set_error_cb(request, OnError);
  evkeyvalq* const fields = evhttp_request_get_output_headers(request);
  evhttp_add_header(fields, "Host", host.c_str());
  evhttp_add_header(fields, "Connection", "close");
  evhttp_add_header(fields, "Content-Type", "application/json");
  evhttp_add_header(fields, "Authorization", authorization.c_str());
  evbuffer_add(evhttp_request_get_output_buffer(request), body.data(), body.size());
  // The request is the connection's from here on, also when this fails.
  if (evhttp_make_request(connection.get(), request, EVHTTP_REQ_POST, "/") != 0)
    return absl::UnavailableError("no such host");
  event_base_dispatch(base.get());
  if (outcome.answer) return *std::move(outcome.answer);
  if (outcome.error == EVREQ_HTTP_TIMEOUT) return absl::DeadlineExceededError("no answer in time");
  if (outcome.error) return absl::AbortedError("the server ended the connection");
  return absl::UnavailableError("no server there");
}

}  // namespace headrace
