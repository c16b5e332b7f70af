// Whether the processor has what the build takes for granted (x86-64-v2, see cmake/Architecture.cmake). A program that
// links headrace_tools_common checks before any other of its code runs, and ends with a sentence where an illegal
// instruction would have ended it without one.
#pragma once

#include <cstdint>

namespace headrace {

// The first feature of x86-64-v2 that is missing in these CPUID words (leaf 1 and leaf 0x80000001, register ECX), or
// nullptr when all are there. Inline and plain, so that the check itself needs no instruction that it looks for.
inline const char* MissingBaselineFeature(uint32_t leaf1_ecx, uint32_t leaf80000001_ecx) {
  if ((leaf1_ecx & (1u << 0)) == 0) return "SSE3";
  if ((leaf1_ecx & (1u << 9)) == 0) return "SSSE3";
  if ((leaf1_ecx & (1u << 13)) == 0) return "CMPXCHG16B";
  if ((leaf1_ecx & (1u << 19)) == 0) return "SSE4.1";
  if ((leaf1_ecx & (1u << 20)) == 0) return "SSE4.2";
  if ((leaf1_ecx & (1u << 23)) == 0) return "POPCNT";
  if ((leaf80000001_ecx & (1u << 0)) == 0) return "LAHF";
  return nullptr;
}

}  // namespace headrace
