#include "engine/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace headrace {

void CheckFailed(const char* file, int line, const char* expectation) {
  std::fprintf(stderr, "Internal error: %s:%d: expected %s\n", file, line, expectation);
  std::fflush(stderr);
  std::abort();
}

}  // namespace headrace
