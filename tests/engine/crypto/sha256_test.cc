// SHA-256: FIPS 180-4 examples, and every path against OpenSSL on random messages, splits and node runs.
#include "engine/crypto/sha256.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hex.h"
#include "engine/crypto/sha256_path.h"

namespace headrace {
namespace {

Digest256 OpenSslSha256(ByteSpan bytes) {
  Digest256 digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

Digest256 OpenSslSha256d(ByteSpan bytes) { return OpenSslSha256(OpenSslSha256(bytes)); }

std::vector<uint8_t> RandomBytes(std::mt19937_64& random, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// Runs every case on each path of this processor and puts the chosen one back.
class Sha256PathTest : public ::testing::TestWithParam<Sha256Path> {
 protected:
  void SetUp() override {
    before_ = ActiveSha256Path();
    ForceSha256Path(GetParam());
    ASSERT_EQ(ActiveSha256Path(), GetParam());
  }
  void TearDown() override { ForceSha256Path(before_); }

 private:
  Sha256Path before_;
};

TEST_P(Sha256PathTest, FipsExamples) {
  EXPECT_EQ(HexEncode(Sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(HexEncode(Sha256(AsBytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(HexEncode(Sha256d(AsBytes("hello"))), "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50");
}

TEST_P(Sha256PathTest, EverySizeAgreesWithOpenSsl) {
  std::mt19937_64 random(1);
  for (size_t size = 0; size <= 300; ++size) {
    const std::vector<uint8_t> bytes = RandomBytes(random, size);
    EXPECT_EQ(Sha256(bytes), OpenSslSha256(bytes)) << size;
    EXPECT_EQ(Sha256d(bytes), OpenSslSha256d(bytes)) << size;
  }
}

TEST_P(Sha256PathTest, SplitWritesAgreeWithOneWrite) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 500; ++round) {
    const std::vector<uint8_t> bytes = RandomBytes(random, random() % 400);
    Sha256Hasher hasher;
    ByteSpan left = bytes;
    while (!left.empty()) {
      const size_t size = random() % (left.size() + 1);
      hasher.Write(left.first(size));
      left = left.subspan(size);
    }
    EXPECT_EQ(hasher.size(), bytes.size());
    Sha256Hasher copy = hasher;
    EXPECT_EQ(hasher.Finish(), OpenSslSha256(bytes));
    EXPECT_EQ(copy.FinishDouble(), OpenSslSha256d(bytes));
  }
}

// Counts around the lanes that kernels have, and those where several batches follow one another.
constexpr size_t kCounts[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,   10,  15,  16,   17,   18,   23,   24,  25,
                              31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2047, 2049};
// Lengths around the ends of blocks, and around those where the padding takes a block of its own.
constexpr size_t kLengths[] = {0,   1,   31,  32,  54,  55,  56,  57,  62,  63,   64,  65,
                               118, 119, 120, 121, 127, 128, 129, 182, 183, 184,  185, 191,
                               192, 193, 247, 248, 249, 255, 256, 257, 311, 1000, 4096};

// Bytes at a chosen distance from an aligned address that end where their memory ends, so that a sanitizer sees a byte
// too many.
class UnalignedBytes {
 public:
  UnalignedBytes(std::mt19937_64& random, size_t size, size_t distance)
      : bytes_(RandomBytes(random, size + distance)), distance_(distance) {}

  uint8_t* data() { return bytes_.data() + distance_; }
  ByteSpan span() const { return ByteSpan(bytes_).subspan(distance_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t distance_;
};

TEST_P(Sha256PathTest, NodesAgreeWithOpenSslAtEveryCountAlsoUnalignedAndInPlace) {
  std::mt19937_64 random(3);
  for (const size_t count : kCounts) {
    for (const size_t distance : {size_t{0}, size_t{1}, size_t{random() % 64}}) {
      UnalignedBytes nodes(random, 64 * count, distance);
      std::vector<uint8_t> expected;
      for (size_t i = 0; i < count; ++i) {
        const Digest256 digest = OpenSslSha256d({nodes.data() + 64 * i, 64});
        expected.insert(expected.end(), digest.begin(), digest.end());
      }
      UnalignedBytes out(random, 32 * count, (distance * 7 + 3) % 64);
      Sha256dNodes(out.data(), nodes.data(), count);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), out.data())) << count << " at " << distance;
      Sha256dNodes(nodes.data(), nodes.data(), count);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), nodes.data())) << count << " in place at " << distance;
    }
  }
}

TEST_P(Sha256PathTest, ManyOfOneLengthAgreeWithOpenSslAtEveryCount) {
  std::mt19937_64 random(40);
  for (const size_t length : kLengths) {
    std::vector<UnalignedBytes> messages;
    std::vector<ByteSpan> spans;
    std::vector<Digest256> expected;
    for (size_t i = 0; i < 130; ++i) messages.emplace_back(random, length, random() % 64);
    for (const UnalignedBytes& message : messages) {
      spans.push_back(message.span());
      expected.push_back(OpenSslSha256d(message.span()));
    }
    for (const size_t count : kCounts) {
      if (count > spans.size()) continue;
      std::vector<Digest256> digests(count);
      Sha256dMany(std::span(spans).first(count), digests.data());
      ASSERT_TRUE(std::equal(digests.begin(), digests.end(), expected.begin())) << count << " of " << length;
    }
  }
}

// Mixtures, in which lanes end at different times: short ones beside one long one, and transactions like those of a
// block. Each batch is also what the portable path makes of it.
TEST_P(Sha256PathTest, ManyOfMixedLengthsAgreeWithOpenSslAndThePortablePath) {
  std::mt19937_64 random(41);
  for (const size_t count : kCounts) {
    for (int mixture = 0; mixture < 4; ++mixture) {
      std::vector<UnalignedBytes> messages;
      for (size_t i = 0; i < count; ++i) {
        const size_t lengths[] = {kLengths[random() % std::size(kLengths)], random() % 130, random() % 3000,
                                  i == count / 2 ? 100'000 : random() % 66};
        messages.emplace_back(random, lengths[mixture], random() % 64);
      }
      const auto hash_all = [&] {
        std::vector<ByteSpan> spans;
        for (const UnalignedBytes& message : messages) spans.push_back(message.span());
        std::vector<Digest256> digests(count);
        Sha256dMany(spans, digests.data());
        return digests;
      };
      const std::vector<Digest256> digests = hash_all();
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(digests[i], OpenSslSha256d(messages[i].span())) << count << " mixture " << mixture << " number " << i;
      }
      ForceSha256Path(Sha256Path::kPortable);
      ASSERT_EQ(digests, hash_all());
      ForceSha256Path(GetParam());
    }
  }
}

TEST_P(Sha256PathTest, TaggedHasherHashesTheTagTwiceFirst) {
  const Digest256 tag = OpenSslSha256(AsBytes("TapLeaf"));
  std::vector<uint8_t> bytes(tag.begin(), tag.end());
  bytes.insert(bytes.end(), tag.begin(), tag.end());
  bytes.push_back(7);
  const uint8_t seven = 7;
  EXPECT_EQ(TaggedHasher("TapLeaf").Write({&seven, 1}).Finish(), OpenSslSha256(bytes));
}

TEST_P(Sha256PathTest, ResetStartsAnew) {
  Sha256Hasher hasher;
  hasher.Write(AsBytes("something else"));
  hasher.Finish();
  hasher.Reset();
  EXPECT_EQ(hasher.Write(AsBytes("abc")).Finish(), Sha256(AsBytes("abc")));
}

INSTANTIATE_TEST_SUITE_P(Paths, Sha256PathTest, ::testing::ValuesIn(AvailableSha256Paths()), [](const auto& info) {
  std::string name(Sha256PathName(info.param));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Sha256, FastestAvailablePathIsChosenUnlessTheEnvironmentWishes) {
  const absl::StatusOr<Sha256Path> chosen = ChooseSha256PathByEnvironment();
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(ActiveSha256Path(), *chosen);
  if (std::getenv("HEADRACE_SHA256") == nullptr) {
    EXPECT_EQ(ActiveSha256Path(), AvailableSha256Paths().back());
  }
}

std::string SentenceOf(const absl::StatusOr<Sha256Path>& chosen) { return std::string(chosen.status().message()); }

TEST(Sha256, AWishIsMetOrRefusedWithASentence) {
  std::vector<std::string_view> available;
  for (const Sha256Path path : AvailableSha256Paths()) available.push_back(Sha256PathName(path));
  EXPECT_EQ(ChooseSha256Path("").value(), AvailableSha256Paths().back());
  for (const std::string_view name :
       {"portable", "avx2-portable-tail", "avx2", "shani", "avx512-portable-tail", "avx512"}) {
    const absl::StatusOr<Sha256Path> chosen = ChooseSha256Path(name);
    const bool is_available = std::find(available.begin(), available.end(), name) != available.end();
    ASSERT_EQ(chosen.ok(), is_available) << chosen.status();
    if (is_available) {
      EXPECT_EQ(Sha256PathName(*chosen), name);
    } else {
      EXPECT_NE(SentenceOf(chosen).find("this processor cannot run"), std::string::npos) << chosen.status();
    }
  }
  for (const std::string_view name : {"AVX2", "avx", "avx2 ", "sse4", "1"}) {
    const absl::StatusOr<Sha256Path> chosen = ChooseSha256Path(name);
    ASSERT_FALSE(chosen.ok()) << name;
    EXPECT_NE(SentenceOf(chosen).find("HEADRACE_SHA256=" + std::string(name)), std::string::npos) << chosen.status();
    for (const std::string_view offered : available) {
      EXPECT_NE(SentenceOf(chosen).find(offered), std::string::npos) << chosen.status();
    }
  }
}

TEST(Sha256, KernelsAreNamedForWhatTheyDo) {
  const std::vector<Sha256Path> available = AvailableSha256Paths();
  const bool has_sha = std::find(available.begin(), available.end(), Sha256Path::kShaNi) != available.end();
  for (const Sha256Path path : available) {
    const Sha256Kernels kernels = Sha256KernelsOf(path);
    const std::string_view name = Sha256PathName(path);
    EXPECT_EQ(kernels.nodes, name.substr(0, name.find('-')));
    EXPECT_EQ(kernels.batches, kernels.nodes);
    const bool is_portable = path == Sha256Path::kPortable || name.ends_with("-portable-tail") || !has_sha;
    EXPECT_EQ(kernels.single, is_portable ? "portable" : "shani") << name;
  }
}

}  // namespace
}  // namespace headrace
