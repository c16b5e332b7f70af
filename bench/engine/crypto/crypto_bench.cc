// Hashes and signatures: each SHA-256 path against OpenSSL, and what a verification costs.
#include <benchmark/benchmark.h>
#include <openssl/sha.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/crypto/muhash.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/sha256_path.h"
#include "engine/crypto/signature.h"
#include "engine/crypto/signing.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

std::vector<uint8_t> RandomBytes(size_t size) {
  std::mt19937_64 random(1);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

void SetBytes(benchmark::State& state, size_t per_iteration) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(per_iteration));
}

Digest256 OpenSslSha256d(ByteSpan bytes) {
  Digest256 first, second;
  SHA256(bytes.data(), bytes.size(), first.data());
  SHA256(first.data(), first.size(), second.data());
  return second;
}

void Sha256dNodesOn(benchmark::State& state, Sha256Path path) {
  const Sha256Path before = ActiveSha256Path();
  ForceSha256Path(path);
  const size_t count = static_cast<size_t>(state.range(0));
  const std::vector<uint8_t> in = RandomBytes(64 * count);
  std::vector<uint8_t> out(32 * count);
  for (auto _ : state) {
    Sha256dNodes(out.data(), in.data(), count);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  for (size_t i = 0; i < count; ++i) {
    const Digest256 expected = OpenSslSha256d(ByteSpan(in).subspan(64 * i, 64));
    HR_CHECK(std::equal(expected.begin(), expected.end(), &out[32 * i]));
  }
  SetBytes(state, in.size());
  ForceSha256Path(before);
}

void Sha256dOn(benchmark::State& state, Sha256Path path) {
  const Sha256Path before = ActiveSha256Path();
  ForceSha256Path(path);
  const std::vector<uint8_t> bytes = RandomBytes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Sha256d(bytes));
  SetBytes(state, bytes.size());
  ForceSha256Path(before);
}

// As the transactions of a block: most of a few hundred bytes, some of thousands.
std::vector<std::vector<uint8_t>> TransactionLike(size_t count) {
  std::mt19937_64 random(5);
  std::vector<std::vector<uint8_t>> messages(count);
  for (auto& message : messages)
    message = RandomBytes(random() % 20 == 0 ? 700 + random() % 8000 : 150 + random() % 500);
  return messages;
}

size_t BytesOf(const std::vector<std::vector<uint8_t>>& messages) {
  size_t bytes = 0;
  for (const auto& message : messages) bytes += message.size();
  return bytes;
}

void Sha256dManyOn(benchmark::State& state, Sha256Path path) {
  const Sha256Path before = ActiveSha256Path();
  ForceSha256Path(path);
  const auto messages = TransactionLike(static_cast<size_t>(state.range(0)));
  const std::vector<ByteSpan> spans(messages.begin(), messages.end());
  std::vector<Digest256> digests(messages.size());
  for (auto _ : state) {
    Sha256dMany(spans, digests.data());
    benchmark::DoNotOptimize(digests.data());
    benchmark::ClobberMemory();
  }
  for (size_t i = 0; i < messages.size(); ++i) HR_CHECK(digests[i] == OpenSslSha256d(messages[i]));
  SetBytes(state, BytesOf(messages));
  ForceSha256Path(before);
}

void OpenSslMany(benchmark::State& state) {
  const auto messages = TransactionLike(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    for (const auto& message : messages) {
      Digest256 digest = OpenSslSha256d(message);
      benchmark::DoNotOptimize(digest);
    }
  }
  SetBytes(state, BytesOf(messages));
}

// All levels above `start`'s leaves; `hash_level` folds pairs in place.
template <typename HashLevel>
void FoldLevels(const std::vector<uint8_t>& start, std::vector<uint8_t>& level, const HashLevel& hash_level) {
  level = start;
  while (level.size() > 32) {
    if (level.size() % 64 != 0) {
      // The odd one is doubled.
      level.resize(level.size() + 32);
      std::copy(level.end() - 64, level.end() - 32, level.end() - 32);
    }
    hash_level(level.data(), level.size() / 64);
    level.resize(level.size() / 2);
  }
}

void OpenSslLevel(uint8_t* level, size_t pairs) {
  for (size_t i = 0; i < pairs; ++i) {
    const Digest256 digest = OpenSslSha256d({level + 64 * i, 64});
    std::copy(digest.begin(), digest.end(), level + 32 * i);
  }
}

void MerkleOn(benchmark::State& state, Sha256Path path) {
  const Sha256Path before = ActiveSha256Path();
  ForceSha256Path(path);
  const std::vector<uint8_t> start = RandomBytes(32 * static_cast<size_t>(state.range(0)));
  std::vector<uint8_t> level;
  for (auto _ : state) {
    FoldLevels(start, level, [](uint8_t* at, size_t pairs) { Sha256dNodes(at, at, pairs); });
    benchmark::DoNotOptimize(level.data());
  }
  std::vector<uint8_t> expected;
  FoldLevels(start, expected, OpenSslLevel);
  HR_CHECK(level == expected);
  SetBytes(state, start.size());
  ForceSha256Path(before);
}

void OpenSslMerkle(benchmark::State& state) {
  const std::vector<uint8_t> start = RandomBytes(32 * static_cast<size_t>(state.range(0)));
  std::vector<uint8_t> level;
  for (auto _ : state) {
    FoldLevels(start, level, OpenSslLevel);
    benchmark::DoNotOptimize(level.data());
  }
  SetBytes(state, start.size());
}

void OpenSslNodes(benchmark::State& state) {
  const size_t count = static_cast<size_t>(state.range(0));
  const std::vector<uint8_t> in = RandomBytes(64 * count);
  std::vector<uint8_t> out(32 * count);
  for (auto _ : state) {
    for (size_t i = 0; i < count; ++i) {
      const Digest256 digest = OpenSslSha256d(ByteSpan(in).subspan(64 * i, 64));
      std::copy(digest.begin(), digest.end(), &out[32 * i]);
    }
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  SetBytes(state, in.size());
}

void OpenSslOne(benchmark::State& state) {
  const std::vector<uint8_t> bytes = RandomBytes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(OpenSslSha256d(bytes));
  SetBytes(state, bytes.size());
}

SecretKey SomeSecret() {
  SecretKey secret{};
  secret[31] = 7;
  return secret;
}

void VerifyEcdsaOnce(benchmark::State& state) {
  const Digest256 message = Sha256(AsBytes("message"));
  const std::vector<uint8_t> key = PublicKeyOf(SomeSecret(), true);
  const std::vector<uint8_t> der = SignEcdsa(SomeSecret(), message);
  for (auto _ : state) benchmark::DoNotOptimize(VerifyEcdsa(key, der, message));
}

void VerifySchnorrOnce(benchmark::State& state) {
  const Digest256 message = Sha256(AsBytes("message"));
  const XOnlyKey key = XOnlyKeyOf(SomeSecret());
  const auto signature = SignSchnorr(SomeSecret(), message);
  for (auto _ : state) benchmark::DoNotOptimize(VerifySchnorr(key, signature, message));
}

void SignEcdsaOnce(benchmark::State& state) {
  const Digest256 message = Sha256(AsBytes("message"));
  for (auto _ : state) benchmark::DoNotOptimize(SignEcdsa(SomeSecret(), message));
}

void MuHashInsert(benchmark::State& state) {
  const std::vector<uint8_t> coin = RandomBytes(80);
  MuHash set;
  for (auto _ : state) set.Insert(coin);
  benchmark::DoNotOptimize(set.Finish());
}

void Hash160OfKey(benchmark::State& state) {
  const std::vector<uint8_t> key = RandomBytes(33);
  for (auto _ : state) benchmark::DoNotOptimize(Hash160(key));
}

void SipHashOfOutPoint(benchmark::State& state) {
  const std::vector<uint8_t> outpoint = RandomBytes(36);
  for (auto _ : state) benchmark::DoNotOptimize(SipHash13OutPoint(1, 2, outpoint.data()));
}

void Crc32cOf(benchmark::State& state) {
  const std::vector<uint8_t> bytes = RandomBytes(static_cast<size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(Crc32c(bytes));
  SetBytes(state, bytes.size());
}

// One line a path that this processor has.
const bool kRegistered = [] {
  for (const Sha256Path path : AvailableSha256Paths()) {
    const auto name = [&](std::string what) { return what.append("<").append(Sha256PathName(path)).append(">"); };
    benchmark::RegisterBenchmark(name("Sha256dNodes").c_str(), Sha256dNodesOn, path)->Arg(64)->Arg(4096);
    benchmark::RegisterBenchmark(name("Sha256d").c_str(), Sha256dOn, path)->Arg(64)->Arg(250)->Arg(100'000);
    benchmark::RegisterBenchmark(name("Sha256dMany").c_str(), Sha256dManyOn, path)->Arg(20)->Arg(2500);
    benchmark::RegisterBenchmark(name("Merkle").c_str(), MerkleOn, path)->Arg(64)->Arg(9001);
  }
  return true;
}();

BENCHMARK(OpenSslNodes)->Arg(64)->Arg(4096);
BENCHMARK(OpenSslMany)->Arg(20)->Arg(2500);
BENCHMARK(OpenSslMerkle)->Arg(64)->Arg(9001);
BENCHMARK(OpenSslOne)->Arg(64)->Arg(250)->Arg(100'000);
BENCHMARK(VerifyEcdsaOnce);
BENCHMARK(VerifySchnorrOnce);
BENCHMARK(SignEcdsaOnce);
BENCHMARK(MuHashInsert);
BENCHMARK(Hash160OfKey);
BENCHMARK(SipHashOfOutPoint);
BENCHMARK(Crc32cOf)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace headrace
