#include "engine/crypto/sha256.h"

#include <cpuid.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/base/log.h"
#include "engine/crypto/sha256_kernels.h"

namespace headrace {
namespace {

using sha256::Kernel;

constexpr Sha256Path kAllPaths[] = {Sha256Path::kPortable, Sha256Path::kShaNi};

const Kernel& KernelOf(Sha256Path path) {
  return path == Sha256Path::kShaNi ? sha256::kShaNiKernel : sha256::kPortableKernel;
}

bool ProcessorHasShaExtensions() {
  unsigned eax, ebx, ecx, edx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (ebx & bit_SHA) != 0;
}

bool IsAvailable(Sha256Path path) {
  static const bool has_sha_extensions = ProcessorHasShaExtensions();
  return path == Sha256Path::kPortable || has_sha_extensions;
}

// The environment's wish when it names an available path, else the fastest.
Sha256Path ChoosePath() {
  const std::vector<Sha256Path> available = AvailableSha256Paths();
  const char* wish = std::getenv("HEADRACE_SHA256");
  if (wish == nullptr || *wish == '\0') return available.back();
  for (Sha256Path path : available) {
    if (Sha256PathName(path) == wish) return path;
  }
  HR_LOG(kWarning, kNode, "HEADRACE_SHA256 names no path of this processor: value=", wish,
         " using=", std::string(Sha256PathName(available.back())));
  return available.back();
}

// Set once at first use. Relaxed: the kernels are constants, so the pointer publishes nothing; two threads that race to
// choose store the same value.
std::atomic<const Kernel*> g_kernel{nullptr};

const Kernel& ActiveKernel() {
  const Kernel* kernel = g_kernel.load(std::memory_order_relaxed);
  if (__builtin_expect(kernel == nullptr, 0)) {
    kernel = &KernelOf(ChoosePath());
    g_kernel.store(kernel, std::memory_order_relaxed);
  }
  return *kernel;
}

Digest256 StoreState(const uint32_t* state) {
  Digest256 digest;
  for (int i = 0; i < 8; ++i) StoreBig32(&digest[4 * i], state[i]);
  return digest;
}

}  // namespace

void Sha256Hasher::Reset() {
  std::memcpy(state_, sha256::kInitialState.data(), sizeof(state_));
  size_ = 0;
}

Sha256Hasher& Sha256Hasher::Write(ByteSpan bytes) {
  if (bytes.empty()) return *this;
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  const size_t buffered = size_ % 64;
  size_ += left;
  if (buffered != 0) {
    const size_t wanted = 64 - buffered;
    if (left < wanted) {
      std::memcpy(buffer_ + buffered, at, left);
      return *this;
    }
    std::memcpy(buffer_ + buffered, at, wanted);
    ActiveKernel().compress(state_, buffer_, 1);
    at += wanted;
    left -= wanted;
  }
  if (left >= 64) {
    ActiveKernel().compress(state_, at, left / 64);
    at += left / 64 * 64;
    left %= 64;
  }
  std::memcpy(buffer_, at, left);
  return *this;
}

Digest256 Sha256Hasher::Finish() {
  size_t used = size_ % 64;
  buffer_[used++] = 0x80;
  // The length in bits takes the last eight bytes: where they are taken, one more block follows.
  if (used > 56) {
    std::memset(buffer_ + used, 0, 64 - used);
    ActiveKernel().compress(state_, buffer_, 1);
    used = 0;
  }
  std::memset(buffer_ + used, 0, 56 - used);
  StoreBig64(buffer_ + 56, size_ * 8);
  ActiveKernel().compress(state_, buffer_, 1);
  return StoreState(state_);
}

Digest256 Sha256Hasher::FinishDouble() {
  const Digest256 first = Finish();
  return Sha256(first);
}

Digest256 Sha256(ByteSpan bytes) { return Sha256Hasher().Write(bytes).Finish(); }

Digest256 Sha256d(ByteSpan bytes) { return Sha256Hasher().Write(bytes).FinishDouble(); }

void Sha256dNodes(uint8_t* out, const uint8_t* in, size_t count) { ActiveKernel().double_nodes(out, in, count); }

Sha256Hasher TaggedHasher(std::string_view tag) {
  const Digest256 tag_hash = Sha256(AsBytes(tag));
  Sha256Hasher hasher;
  hasher.Write(tag_hash).Write(tag_hash);
  return hasher;
}

std::string_view Sha256PathName(Sha256Path path) { return path == Sha256Path::kShaNi ? "shani" : "portable"; }

std::vector<Sha256Path> AvailableSha256Paths() {
  std::vector<Sha256Path> paths;
  for (Sha256Path path : kAllPaths) {
    if (IsAvailable(path)) paths.push_back(path);
  }
  return paths;
}

Sha256Path ActiveSha256Path() {
  return &ActiveKernel() == &sha256::kShaNiKernel ? Sha256Path::kShaNi : Sha256Path::kPortable;
}

void ForceSha256Path(Sha256Path path) {
  HR_CHECK(IsAvailable(path));
  g_kernel.store(&KernelOf(path), std::memory_order_relaxed);
}

}  // namespace headrace
