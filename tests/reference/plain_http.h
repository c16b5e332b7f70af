// HTTP/1.1 requests read from a text that is there as a whole, by RFC 9112 and the limits that the server sets: the
// naive twin of the reader that takes bytes as they come.
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::testing {

struct PlainHttpLimits {
  size_t head_bytes_max = 8192;
  size_t chunk_line_bytes_max = 256;
  uint64_t body_bytes_max = 0;
};

struct PlainHttpRequest {
  std::string method;
  std::string target;
  int version_minor = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
  bool keeps_alive = true;
  bool expects_continue = false;
};

class PlainHttp {
 public:
  PlainHttp(std::string_view text, const PlainHttpLimits& limits) : text_(text), limits_(limits) {}

  // The next request; nothing at the end of the text, where `failure` is 0, and at a fault, where it is a status.
  std::optional<PlainHttpRequest> Next() {
    PlainHttpRequest request;
    if (!ReadHead(request) || !ReadBody(request)) return std::nullopt;
    return request;
  }

  int failure() const { return failure_; }

 private:
  bool Fail(int status) {
    failure_ = status;
    return false;
  }

  // A line of at most `room` bytes with its end; fails, or is not there yet.
  bool Line(size_t& room, std::string& line) {
    if (text_.empty()) return false;
    const size_t end = text_.find('\n');
    if (end == text_.npos ? text_.size() >= room : end >= room) return Fail(400);
    if (end == text_.npos) return false;
    line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    room -= end + 1;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find('\r') != line.npos || line.find('\0') != line.npos) return Fail(400);
    return true;
  }

  static bool IsToken(const std::string& text) {
    const std::string marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
      return c < 0x80 && (std::isalnum(c) != 0 || marks.find(static_cast<char>(c)) != marks.npos);
    });
  }

  static std::string Trim(std::string text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.erase(0, 1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    return text;
  }

  static std::string Lower(std::string text) {
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x80 ? static_cast<char>(std::tolower(c)) : c;
    return text;
  }

  static std::vector<std::string> Split(const std::string& text, char at) {
    std::vector<std::string> parts(1);
    for (const char c : text) c == at ? void(parts.emplace_back()) : parts.back().push_back(c);
    return parts;
  }

  static std::vector<std::string> Values(const PlainHttpRequest& request, const std::string& lower_name) {
    std::vector<std::string> values;
    for (const auto& [name, value] : request.fields) {
      if (Lower(name) == lower_name) values.push_back(value);
    }
    return values;
  }

  static std::optional<uint64_t> Number(const std::string& text, int base) {
    uint64_t number = 0;
    for (const char c : text) {
      if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
      const int digit = std::isdigit(static_cast<unsigned char>(c)) != 0 ? c - '0' : std::tolower(c) - 'a' + 10;
      if (digit >= base) return std::nullopt;
      const auto next = static_cast<unsigned __int128>(number) * base + digit;
      if (next >> 64 != 0) return std::nullopt;
      number = static_cast<uint64_t>(next);
    }
    return text.empty() ? std::nullopt : std::optional(number);
  }

  bool ReadHead(PlainHttpRequest& request) {
    size_t room = limits_.head_bytes_max;
    std::string line;
    do {
      if (!Line(room, line)) return false;
    } while (line.empty());
    const std::vector<std::string> words = Split(line, ' ');
    if (words.size() != 3 || !IsToken(words[0]) || words[1].empty()) return Fail(400);
    if (words[2].size() != 8 || words[2].substr(0, 7) != "HTTP/1." || words[2][7] < '0' || words[2][7] > '9') {
      return Fail(400);
    }
    request.method = words[0];
    request.target = words[1];
    request.version_minor = words[2][7] - '0';
    while (true) {
      if (!Line(room, line)) return false;
      if (line.empty()) break;
      const size_t colon = line.find(':');
      if (colon == line.npos || !IsToken(line.substr(0, colon))) return Fail(400);
      request.fields.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
    }
    ReadConnection(request);
    return true;
  }

  void ReadConnection(PlainHttpRequest& request) {
    const auto connection = Values(request, "connection");
    const std::string wanted = request.version_minor == 0 ? "keep-alive" : "close";
    bool has_word = false;
    for (const std::string& word : Split(connection.empty() ? "" : connection[0], ',')) {
      has_word = has_word || Lower(Trim(word)) == wanted;
    }
    request.keeps_alive = request.version_minor == 0 ? has_word : !has_word;
    const auto expect = Values(request, "expect");
    request.expects_continue = request.version_minor != 0 && !expect.empty() && Lower(expect[0]) == "100-continue";
  }

  bool ReadBody(PlainHttpRequest& request) {
    const auto lengths = Values(request, "content-length");
    const auto codings = Values(request, "transfer-encoding");
    for (const std::string& length : lengths) {
      if (length != lengths[0]) return Fail(400);
    }
    if (!codings.empty()) {
      if (codings.size() > 1 || Lower(codings[0]) != "chunked") return Fail(400);
      if (!lengths.empty()) request.keeps_alive = false;
      return ReadChunks(request);
    }
    if (lengths.empty()) return true;
    const auto length = Number(lengths[0], 10);
    if (!length) return Fail(400);
    if (*length > limits_.body_bytes_max) return Fail(413);
    return Take(*length, request.body);
  }

  bool Take(uint64_t size, std::string& body) {
    if (text_.size() < size) return false;
    body += text_.substr(0, size);
    text_.remove_prefix(size);
    return true;
  }

  bool ReadChunks(PlainHttpRequest& request) {
    std::string line;
    while (true) {
      size_t room = limits_.chunk_line_bytes_max;
      if (!Line(room, line)) return false;
      const auto size = Number(Trim(Split(line, ';')[0]), 16);
      if (!size) return Fail(400);
      if (*size > limits_.body_bytes_max - request.body.size()) return Fail(413);
      if (*size == 0) break;
      if (!Take(*size, request.body)) return false;
      room = limits_.chunk_line_bytes_max;
      if (!Line(room, line)) return false;
      if (!line.empty()) return Fail(400);
    }
    size_t room = limits_.head_bytes_max;
    do {
      if (!Line(room, line)) return false;
    } while (!line.empty());
    return true;
  }

  std::string_view text_;
  const PlainHttpLimits limits_;
  int failure_ = 0;
};

}  // namespace headrace::testing
