#include "engine/crypto/sha256.h"

#include <cpuid.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/base/log.h"
#include "engine/crypto/sha256_kernels.h"
#include "engine/crypto/sha256_path.h"

namespace headrace {
namespace {

using sha256::Kernel;
using sha256::Message;
using sha256::WideKernel;

constexpr char kSha256Variable[] = "HEADRACE_SHA256";

// Slowest first, which is the order in which the enumeration has them.
constexpr Sha256Path kAllPaths[] = {Sha256Path::kPortable,           Sha256Path::kAvx2PortableTail,
                                    Sha256Path::kAvx2,               Sha256Path::kShaNi,
                                    Sha256Path::kAvx512PortableTail, Sha256Path::kAvx512};

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
    case Sha256Path::kAvx2PortableTail:
    case Sha256Path::kAvx2: return __builtin_cpu_supports("avx2") != 0;
    case Sha256Path::kShaNi: return has_sha_extensions;
    case Sha256Path::kAvx512PortableTail:
    case Sha256Path::kAvx512: return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  }
  return false;
}

// A path as it is used: one message at a time, and many.
struct Choice {
  Sha256Path path;
  std::string_view single_name;
  const Kernel* single;
  std::string_view wide_name;
  const WideKernel* wide;  // null: many are hashed one after another
};

const Choice& ChoiceOf(Sha256Path path) {
  static const bool has_sha = IsAvailable(Sha256Path::kShaNi);
  static const Kernel* const best = has_sha ? &sha256::kShaNiKernel : &sha256::kPortableKernel;
  static const std::string_view best_name = has_sha ? "shani" : "portable";
  static const Choice choices[] = {
      {Sha256Path::kPortable, "portable", &sha256::kPortableKernel, "portable", nullptr},
      {Sha256Path::kAvx2PortableTail, "portable", &sha256::kPortableKernel, "avx2", &sha256::kAvx2Kernel},
      {Sha256Path::kAvx2, best_name, best, "avx2", &sha256::kAvx2Kernel},
      {Sha256Path::kShaNi, "shani", &sha256::kShaNiKernel, "shani", nullptr},
      {Sha256Path::kAvx512PortableTail, "portable", &sha256::kPortableKernel, "avx512", &sha256::kAvx512Kernel},
      {Sha256Path::kAvx512, best_name, best, "avx512", &sha256::kAvx512Kernel}};
  return choices[static_cast<size_t>(path)];
}

Sha256Path ChoosePath() {
  const absl::StatusOr<Sha256Path> chosen = ChooseSha256PathByEnvironment();
  if (chosen.ok()) return *chosen;
  const Sha256Path fastest = AvailableSha256Paths().back();
  HR_LOG(kWarning, kNode, std::string(chosen.status().message()), " using=", std::string(Sha256PathName(fastest)));
  return fastest;
}

// Set once at first use; two threads that race to choose store the same value. Release and acquire, because the pointer publishes
// what it leads to: a thread that finds it set has not been through the guard of ChoiceOf's table. An acquiring load is a plain one
// on this processor.
std::atomic<const Choice*> g_choice{nullptr};

const Choice& ActiveChoice() {
  const Choice* choice = g_choice.load(std::memory_order_acquire);
  if (__builtin_expect(choice == nullptr, 0)) {
    choice = &ChoiceOf(ChoosePath());
    g_choice.store(choice, std::memory_order_release);
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
  static constexpr std::string_view kNames[] = {"portable", "avx2-portable-tail", "avx2", "shani", "avx512-portable-tail",
                                                "avx512"};
  return kNames[static_cast<size_t>(path)];
}

Sha256Kernels Sha256KernelsOf(Sha256Path path) {
  const Choice& choice = ChoiceOf(path);
  return {choice.single_name, choice.wide_name, choice.wide_name};
}

std::vector<Sha256Path> AvailableSha256Paths() {
  std::vector<Sha256Path> paths;
  for (Sha256Path path : kAllPaths) {
    if (IsAvailable(path)) paths.push_back(path);
  }
  return paths;
}

Sha256Path ActiveSha256Path() { return ActiveChoice().path; }

absl::StatusOr<Sha256Path> ChooseSha256Path(std::string_view wish) {
  const std::vector<Sha256Path> available = AvailableSha256Paths();
  if (wish.empty()) return available.back();
  std::string names;
  for (const Sha256Path path : available) {
    if (Sha256PathName(path) == wish) return path;
    names += (names.empty() ? "" : ", ") + std::string(Sha256PathName(path));
  }
  const bool is_known = std::any_of(std::begin(kAllPaths), std::end(kAllPaths),
                                    [wish](Sha256Path path) { return Sha256PathName(path) == wish; });
  return absl::InvalidArgumentError(absl::StrCat(
      kSha256Variable, "=", std::string(wish), is_known ? " asks for what this processor cannot run" : " names no way of hashing",
      ": choose one of ", names, ", or leave it unset for the fastest."));
}

absl::StatusOr<Sha256Path> ChooseSha256PathByEnvironment() {
  const char* wish = std::getenv(kSha256Variable);
  return ChooseSha256Path(wish == nullptr ? "" : wish);
}

void ForceSha256Path(Sha256Path path) {
  HR_CHECK(IsAvailable(path));
  g_choice.store(&ChoiceOf(path), std::memory_order_release);
}

}  // namespace headrace
