// HR_CHECK: our own bugs stop the program, in every build. A peer's, a disk's or an operator's fault is never a CHECK.
#pragma once

namespace headrace {

// Prints file, line and the broken expectation to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expectation);

}  // namespace headrace

#define HR_CHECK(condition)                                              \
  do {                                                                   \
    if (__builtin_expect(!(condition), 0)) {                             \
      ::headrace::CheckFailed(__FILE__, __LINE__, #condition);           \
    }                                                                    \
  } while (false)
