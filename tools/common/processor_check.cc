#include "tools/common/processor_check.h"

#include <cpuid.h>
#include <unistd.h>

namespace headrace {
namespace {

void Print(const char* text) {
  unsigned length = 0;
  while (text[length] != '\0') ++length;
  // There is nobody to tell when this fails.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text, length);
}

// 101 is the first priority open to programs: this runs before every other constructor of the program, all of which
// are compiled for the baseline.
__attribute__((constructor(101))) void CheckProcessor() {
  unsigned eax = 0, ebx = 0, edx = 0, leaf1_ecx = 0, leaf80000001_ecx = 0;
  __get_cpuid(1, &eax, &ebx, &leaf1_ecx, &edx);
  __get_cpuid(0x80000001, &eax, &ebx, &leaf80000001_ecx, &edx);
  const char* const missing = MissingBaselineFeature(leaf1_ecx, leaf80000001_ecx);
  if (missing == nullptr) return;
  Print("Error: this processor lacks ");
  Print(missing);
  Print(", which headrace needs (x86-64-v2: every x86 server processor since 2009); run it on another machine.\n");
  _exit(1);
}

}  // namespace
}  // namespace headrace
