// One POST over HTTP and its answer, by libevent's client. Blocks. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace headrace {

struct PostAnswer {
  int status = 0;
  std::string body;
};

// Unavailable when there is no server, DeadlineExceeded when it does not answer in time (0: no limit), Aborted when it
// ends the connection without an answer.
absl::StatusOr<PostAnswer> HttpPost(const std::string& host, uint16_t port, const std::string& authorization,
                                    const std::string& body, int64_t timeout_s);

}  // namespace headrace
