// Which instruction sets SHA-256 uses: chosen once by what the processor has, or by a wish. Programs ask at their start
// and print it, tests and benchmarks force each one; everybody else includes sha256.h alone. Any thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace headrace {

// A path is a choice of kernels. The wide ones hash nodes and batches 8 or 16 at a time and take the SHA extensions,
// where there are any, for one message alone and for what does not fill their lanes; "portable tail" are the same as
// they are on a processor without those extensions.
enum class Sha256Path : uint8_t { kPortable, kAvx2PortableTail, kAvx2, kShaNi, kAvx512PortableTail, kAvx512 };

// What a path uses for what, by the names of instruction sets ("portable", "shani", "avx2", "avx512").
struct Sha256Kernels {
  std::string_view single;   // one message: Sha256Hasher, Sha256, Sha256d
  std::string_view nodes;    // Sha256dNodes
  std::string_view batches;  // Sha256dMany
};

// "portable", "avx2-portable-tail", "avx2", "shani", "avx512-portable-tail", "avx512".
std::string_view Sha256PathName(Sha256Path path);
Sha256Kernels Sha256KernelsOf(Sha256Path path);
// The paths this processor can run, slowest first.
std::vector<Sha256Path> AvailableSha256Paths();
Sha256Path ActiveSha256Path();
// Forces a path (tests, benchmarks); it must be available. Not while others hash.
void ForceSha256Path(Sha256Path path);

// The path that `wish` names, the fastest for an empty one; an error that lists what there is when no path is called so
// or this processor cannot run it.
absl::StatusOr<Sha256Path> ChooseSha256Path(std::string_view wish);
// The same for the environment variable HEADRACE_SHA256: programs ask at their start and refuse to run on an error.
// Hashing itself never fails: where nobody asked, it says so in the log and takes the fastest.
absl::StatusOr<Sha256Path> ChooseSha256PathByEnvironment();

}  // namespace headrace
