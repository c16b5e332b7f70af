#include "engine/crypto/sha256.h"

#include <cpuid.h>

#include <algorithm>
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
using sha256::Message;
using sha256::WideKernel;

constexpr Sha256Path kAllPaths[] = {Sha256Path::kPortable, Sha256Path::kAvx2, Sha256Path::kShaNi, Sha256Path::kAvx512};

bool ProcessorHasShaExtensions() {
  unsigned eax, ebx, ecx, edx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  return (ebx & bit_SHA) != 0;
}

// Whether processor and operating system both have what the path uses.
bool IsAvailable(Sha256Path path) {
  static const bool has_sha_extensions = ProcessorHasShaExtensions();
  switch (path) {
    case Sha256Path::kPortable: return true;
    case Sha256Path::kAvx2: return __builtin_cpu_supports("avx2") != 0;
    case Sha256Path::kShaNi: return has_sha_extensions;
    case Sha256Path::kAvx512: return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  }
  return false;
}

// A path as it is used: one message at a time, and many.
struct Choice {
  Sha256Path path;
  const Kernel* single;
  const WideKernel* wide;  // null: many are hashed one after another
};

const Choice& ChoiceOf(Sha256Path path) {
  static const Kernel* const best_single = IsAvailable(Sha256Path::kShaNi) ? &sha256::kShaNiKernel : &sha256::kPortableKernel;
  static const Choice choices[] = {{Sha256Path::kPortable, &sha256::kPortableKernel, nullptr},
                                   {Sha256Path::kAvx2, best_single, &sha256::kAvx2Kernel},
                                   {Sha256Path::kShaNi, &sha256::kShaNiKernel, nullptr},
                                   {Sha256Path::kAvx512, best_single, &sha256::kAvx512Kernel}};
  return choices[static_cast<size_t>(path)];
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

// Set once at first use. Relaxed: the choices are constants behind a guarded initialisation, so the pointer publishes
// nothing; two threads that race to choose store the same value.
std::atomic<const Choice*> g_choice{nullptr};

const Choice& ActiveChoice() {
  const Choice* choice = g_choice.load(std::memory_order_relaxed);
  if (__builtin_expect(choice == nullptr, 0)) {
    choice = &ChoiceOf(ChoosePath());
    g_choice.store(choice, std::memory_order_relaxed);
  }
  return *choice;
}

const Kernel& ActiveKernel() { return *ActiveChoice().single; }

Digest256 StoreState(const uint32_t* state) {
  Digest256 digest;
  for (int i = 0; i < 8; ++i) StoreBig32(&digest[4 * i], state[i]);
  return digest;
}

}  // namespace

const Kernel& sha256::SingleKernel() { return ActiveKernel(); }

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

void Sha256dNodes(uint8_t* out, const uint8_t* in, size_t count) {
  const Choice& choice = ActiveChoice();
  (choice.wide != nullptr ? choice.wide->double_nodes : choice.single->double_nodes)(out, in, count);
}

void Sha256dMany(std::span<const ByteSpan> messages, Digest256* out) {
  static_assert(sizeof(Digest256) == 32);
  const WideKernel* const wide = ActiveChoice().wide;
  if (wide == nullptr) {
    for (size_t i = 0; i < messages.size(); ++i) out[i] = Sha256d(messages[i]);
    return;
  }
  constexpr size_t kBatch = 1024;
  Message batch[kBatch];
  for (size_t begin = 0; begin < messages.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, messages.size() - begin);
    for (size_t i = 0; i < count; ++i) batch[i] = {messages[begin + i].data(), messages[begin + i].size()};
    wide->double_many(out[begin].data(), batch, count);
  }
}

Sha256Hasher TaggedHasher(std::string_view tag) {
  const Digest256 tag_hash = Sha256(AsBytes(tag));
  Sha256Hasher hasher;
  hasher.Write(tag_hash).Write(tag_hash);
  return hasher;
}

std::string_view Sha256PathName(Sha256Path path) {
  static constexpr std::string_view kNames[] = {"portable", "avx2", "shani", "avx512"};
  return kNames[static_cast<size_t>(path)];
}

std::vector<Sha256Path> AvailableSha256Paths() {
  std::vector<Sha256Path> paths;
  for (Sha256Path path : kAllPaths) {
    if (IsAvailable(path)) paths.push_back(path);
  }
  return paths;
}

Sha256Path ActiveSha256Path() { return ActiveChoice().path; }

void ForceSha256Path(Sha256Path path) {
  HR_CHECK(IsAvailable(path));
  g_choice.store(&ChoiceOf(path), std::memory_order_relaxed);
}

}  // namespace headrace
