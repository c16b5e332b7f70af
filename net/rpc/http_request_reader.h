// Bytes to one HTTP/1.1 request, whatever pieces they come in; no IO.
//
// The reader stops twice: when the head is there, so that its owner can look at who asks for what before a body of a
// stranger takes any memory, and at the request's end, where the next one begins. A body that is not wanted is read
// past and not kept. Limits: a head, and a chunked body's trailer, of kHeadBytesMax; a body of `body_bytes_max`.
//
// What RFC 9112 leaves to a server: a bare LF ends a line too; both Content-Length and Transfer-Encoding make the
// latter count and the connection end after the reply; folded lines, blanks before a colon, NUL and bare CR are
// refused.
//
// Threads: one. Cost: a byte is looked at once, and a body is copied once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/rpc/http_message.h"

namespace headrace {

class HttpRequestReader {
 public:
  static constexpr size_t kHeadBytesMax = 8192;

  enum class State : uint8_t {
    kHead,          // wants bytes
    kHeadComplete,  // wants KeepBody or SkipBody; takes no bytes before
    kBody,          // wants bytes
    kComplete,      // the request is whole; takes no more bytes
    kFailed,        // `failure` says how to answer; the rest of the stream means nothing
  };

  explicit HttpRequestReader(uint64_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  // Takes bytes from the front and says how many.
  size_t Take(std::string_view bytes);

  // In kHeadComplete: what to do with the body.
  void KeepBody() { BeginBody(true); }
  void SkipBody() { BeginBody(false); }

  State state() const { return state_; }
  // A status: 400, or 413 for a body beyond the limit.
  int failure() const { return failure_; }
  // Nothing of a request has been read.
  bool is_untouched() const { return state_ == State::kHead && line_.empty() && head_bytes_ == 0; }
  // From kHeadComplete on; the body in kComplete.
  HttpRequest& request() { return request_; }
  // The bytes of memory that the body takes or, its length being known, is going to take.
  uint64_t body_bytes_expected() const;
  // The client waits for leave before it sends the body (Expect: 100-continue).
  bool expects_continue() const;
  // Whether further requests may follow on this connection.
  bool keeps_alive() const { return !is_ambiguous_ && request_.KeepsAlive(); }

 private:
  enum class Part : uint8_t { kRequestLine, kFields, kSized, kChunkSize, kChunkData, kChunkEnd, kTrailer };

  bool TakeLine(std::string_view& bytes);
  size_t TakeBody(std::string_view bytes);
  void OnLine();
  bool ReadRequestLine();
  bool ReadField();
  void OnHeadEnd();
  void OnChunkSize();
  void BeginBody(bool keeps);
  void Fail(int status);

  uint64_t body_bytes_max_;
  State state_ = State::kHead;
  Part part_ = Part::kRequestLine;
  int failure_ = 0;
  HttpRequest request_;
  std::string line_;
  size_t head_bytes_ = 0;  // of the head or of the trailer
  bool is_chunked_ = false;
  bool is_ambiguous_ = false;
  bool keeps_body_ = false;
  uint64_t body_bytes_ = 0;       // so far, or announced
  uint64_t part_bytes_left_ = 0;  // of a sized body or of a chunk
};

}  // namespace headrace
