#include "net/rpc/http_request_reader.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/base/check.h"

namespace headrace {
namespace {

// The longest line that is not of a head: a chunk's size with extensions that nobody reads.
constexpr size_t kChunkLineBytesMax = 256;

std::optional<uint64_t> WholeNumber(std::string_view text, int base) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// What names of methods and fields are made of (RFC 9110, 5.6.2).
bool IsToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

void HttpRequestReader::Fail(int status) {
  state_ = State::kFailed;
  failure_ = status;
}

// Moves bytes to `line_` up to the end of a line; true when it is whole, its end not being part of it.
bool HttpRequestReader::TakeLine(std::string_view& bytes) {
  const bool is_of_head = part_ != Part::kChunkSize && part_ != Part::kChunkEnd;
  const size_t room =
      is_of_head ? kHeadBytesMax - head_bytes_ : kChunkLineBytesMax - std::min(line_.size(), kChunkLineBytesMax);
  const size_t newline = bytes.substr(0, room).find('\n');
  const size_t size = newline == std::string_view::npos ? std::min(bytes.size(), room) : newline + 1;
  line_.append(bytes.substr(0, size));
  bytes.remove_prefix(size);
  if (is_of_head) head_bytes_ += size;
  if (newline == std::string_view::npos) {
    if (size == room) Fail(400);
    return false;
  }
  line_.pop_back();
  if (line_.ends_with('\r')) line_.pop_back();
  constexpr std::string_view kForbidden("\r\0", 2);
  if (line_.find_first_of(kForbidden) != std::string::npos) {
    Fail(400);
    return false;
  }
  return true;
}

size_t HttpRequestReader::Take(std::string_view bytes) {
  const size_t given = bytes.size();
  while (!bytes.empty() && (state_ == State::kHead || state_ == State::kBody)) {
    if (part_ == Part::kSized || part_ == Part::kChunkData) {
      bytes.remove_prefix(TakeBody(bytes));
    } else if (TakeLine(bytes)) {
      OnLine();
      line_.clear();
    }
  }
  return given - bytes.size();
}

size_t HttpRequestReader::TakeBody(std::string_view bytes) {
  const size_t size = static_cast<size_t>(std::min<uint64_t>(bytes.size(), part_bytes_left_));
  if (keeps_body_) request_.body.append(bytes.substr(0, size));
  part_bytes_left_ -= size;
  if (part_bytes_left_ == 0) {
    if (part_ == Part::kSized) {
      state_ = State::kComplete;
    } else {
      part_ = Part::kChunkEnd;
    }
  }
  return size;
}

void HttpRequestReader::OnLine() {
  switch (part_) {
    case Part::kRequestLine:
      // An empty line before a request is what some clients leave after a body (RFC 9112, 2.2).
      if (line_.empty()) return;
      if (!ReadRequestLine()) return Fail(400);
      part_ = Part::kFields;
      return;
    case Part::kFields:
      if (line_.empty()) return OnHeadEnd();
      if (!ReadField()) Fail(400);
      return;
    case Part::kChunkSize:
      return OnChunkSize();
    case Part::kChunkEnd:
      if (!line_.empty()) return Fail(400);
      part_ = Part::kChunkSize;
      return;
    case Part::kTrailer:
      if (line_.empty()) state_ = State::kComplete;
      return;
    case Part::kSized:
    case Part::kChunkData:
      break;
  }
  HR_CHECK(false);
}

bool HttpRequestReader::ReadRequestLine() {
  const std::string_view line = line_;
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(line.substr(0, first)) || target.empty() || target.find(' ') != std::string_view::npos) return false;
  if (version.size() != 8 || !version.starts_with("HTTP/1.") || version[7] < '0' || version[7] > '9') return false;
  request_.method = line.substr(0, first);
  request_.target = target;
  request_.version_minor = version[7] - '0';
  return true;
}

bool HttpRequestReader::ReadField() {
  const std::string_view line = line_;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) return false;
  request_.fields.push_back({std::string(line.substr(0, colon)), std::string(Trimmed(line.substr(colon + 1)))});
  return true;
}

// Finds out how the body is delimited (RFC 9112, 6.3).
void HttpRequestReader::OnHeadEnd() {
  const HttpField* length = nullptr;
  bool has_coding = false;
  for (const HttpField& field : request_.fields) {
    if (EqualsIgnoringCase(field.name, "Content-Length")) {
      if (length != nullptr && length->value != field.value) return Fail(400);
      length = &field;
    } else if (EqualsIgnoringCase(field.name, "Transfer-Encoding")) {
      // Anything but one coding, chunked, would have to be decoded to know where the request ends.
      if (has_coding || !EqualsIgnoringCase(field.value, "chunked")) return Fail(400);
      has_coding = true;
    }
  }
  is_chunked_ = has_coding;
  is_ambiguous_ = has_coding && length != nullptr;
  if (!is_chunked_ && length != nullptr) {
    const std::optional<uint64_t> size = WholeNumber(length->value, 10);
    if (!size) return Fail(400);
    if (*size > body_bytes_max_) return Fail(413);
    body_bytes_ = *size;
  }
  state_ = State::kHeadComplete;
}

void HttpRequestReader::BeginBody(bool keeps) {
  HR_CHECK(state_ == State::kHeadComplete);
  keeps_body_ = keeps;
  state_ = State::kBody;
  if (is_chunked_) {
    part_ = Part::kChunkSize;
  } else if (body_bytes_ == 0) {
    state_ = State::kComplete;
  } else {
    part_ = Part::kSized;
    part_bytes_left_ = body_bytes_;
  }
}

void HttpRequestReader::OnChunkSize() {
  const std::string_view line = line_;
  const std::optional<uint64_t> size = WholeNumber(Trimmed(line.substr(0, line.find(';'))), 16);
  if (!size) return Fail(400);
  if (*size > body_bytes_max_ - body_bytes_) return Fail(413);
  body_bytes_ += *size;
  part_bytes_left_ = *size;
  part_ = *size == 0 ? Part::kTrailer : Part::kChunkData;
  if (*size == 0) head_bytes_ = 0;
}

uint64_t HttpRequestReader::body_bytes_expected() const { return body_bytes_; }

bool HttpRequestReader::expects_continue() const {
  const std::string* const expect = request_.version_minor == 0 ? nullptr : request_.Find("Expect");
  return expect != nullptr && EqualsIgnoringCase(*expect, "100-continue");
}

}  // namespace headrace
