// The targets under libFuzzer: one program, whose target is chosen by HEADRACE_FUZZ_TARGET.
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/fuzz_target.h"

namespace {

const headrace::fuzz::FuzzTarget* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char* name = std::getenv("HEADRACE_FUZZ_TARGET");
  if (name != nullptr) chosen = headrace::fuzz::FindTarget(name);
  if (chosen != nullptr) return 0;
  std::fprintf(stderr, "HEADRACE_FUZZ_TARGET must name a target:");
  for (const auto& target : headrace::fuzz::AllTargets()) {
    std::fprintf(stderr, " %.*s", static_cast<int>(target.name.size()), target.name.data());
  }
  std::fprintf(stderr, "\n");
  std::exit(1);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headrace::fuzz::RunTarget(*chosen, {data, size});
  return 0;
}
