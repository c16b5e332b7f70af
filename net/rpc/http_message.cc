#include "net/rpc/http_message.h"

#include <algorithm>

namespace headrace {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Whether `token` is one of the comma-separated words of a field's value.
bool HasToken(std::string_view value, std::string_view token) {
  while (!value.empty()) {
    const size_t comma = value.find(',');
    std::string_view word = value.substr(0, comma);
    value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
    while (word.starts_with(' ') || word.starts_with('\t')) word.remove_prefix(1);
    while (word.ends_with(' ') || word.ends_with('\t')) word.remove_suffix(1);
    if (EqualsIgnoringCase(word, token)) return true;
  }
  return false;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return Lower(x) == Lower(y); });
}

const std::string* HttpRequest::Find(std::string_view name) const {
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [&](const HttpField& one) { return EqualsIgnoringCase(one.name, name); });
  return field == fields.end() ? nullptr : &field->value;
}

bool HttpRequest::KeepsAlive() const {
  const std::string* const connection = Find("Connection");
  if (version_minor == 0) return connection != nullptr && HasToken(*connection, "keep-alive");
  return connection == nullptr || !HasToken(*connection, "close");
}

std::string_view HttpReason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "";
  }
}

std::string HttpReplyHead(const HttpReply& reply, bool keeps_alive, int version_minor) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  head += HttpReason(reply.status);
  head += "\r\n";
  for (const HttpField& field : reply.fields) head += field.name + ": " + field.value + "\r\n";
  if (reply.status != 204) head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
  if (!keeps_alive) {
    head += "Connection: close\r\n";
  } else if (version_minor == 0) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

}  // namespace headrace
