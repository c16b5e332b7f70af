// One HTTP/1.1 request and one reply, as values (RFC 9110, RFC 9112). Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/transport/address.h"

namespace headrace {

struct HttpField {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;  // as sent: methods are case-sensitive
  std::string target;
  int version_minor = 1;  // of HTTP/1.x
  std::vector<HttpField> fields;
  std::string body;
  Address peer;

  // The first field of this name, in any case; nullptr when there is none.
  const std::string* Find(std::string_view name) const;
  // Whether the client wants the connection for further requests.
  bool KeepsAlive() const;
};

struct HttpReply {
  int status = 200;
  std::vector<HttpField> fields;
  std::string body;
  // The connection ends after this reply, whatever the request said.
  bool ends_connection = false;
};

std::string_view HttpReason(int status);

// The reply's head: status line, fields, Content-Length, Connection where it differs from what the version implies, and
// the empty line. 204 has no Content-Length, because it has no content.
std::string HttpReplyHead(const HttpReply& reply, bool keeps_alive, int version_minor);

// Whether two field names or tokens are the same, whatever their case (ASCII).
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

}  // namespace headrace
