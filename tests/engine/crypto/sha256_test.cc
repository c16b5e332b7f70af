// SHA-256: FIPS 180-4 examples, and every path against OpenSSL on random messages, splits and node runs.
#include "engine/crypto/sha256.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hex.h"

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

TEST_P(Sha256PathTest, NodesAgreeWithOpenSslAlsoInPlace) {
  std::mt19937_64 random(3);
  for (size_t count = 0; count <= 35; ++count) {
    std::vector<uint8_t> nodes = RandomBytes(random, 64 * count);
    std::vector<uint8_t> expected;
    for (size_t i = 0; i < count; ++i) {
      const Digest256 digest = OpenSslSha256d({&nodes[64 * i], 64});
      expected.insert(expected.end(), digest.begin(), digest.end());
    }
    std::vector<uint8_t> out(32 * count);
    Sha256dNodes(out.data(), nodes.data(), count);
    EXPECT_EQ(out, expected) << count;
    Sha256dNodes(nodes.data(), nodes.data(), count);
    nodes.resize(32 * count);
    EXPECT_EQ(nodes, expected) << count;
  }
}

// Every length around the ends of one and two blocks, and mixtures in which lanes end at different times.
TEST_P(Sha256PathTest, ManyOfMixedLengthsAgreeWithOneByOne) {
  std::mt19937_64 random(41);
  for (size_t count = 0; count <= 70; ++count) {
    for (const size_t size_max : {size_t{1}, size_t{130}, size_t{3000}}) {
      std::vector<std::vector<uint8_t>> messages(count);
      std::vector<ByteSpan> spans;
      for (std::vector<uint8_t>& message : messages) {
        message.resize(random() % size_max);
        if (random() % 50 == 0) message.resize(100'000);
        for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
        spans.push_back(message);
      }
      std::vector<Digest256> digests(count);
      Sha256dMany(spans, digests.data());
      for (size_t i = 0; i < count; ++i) ASSERT_EQ(digests[i], Sha256d(messages[i])) << count << " " << messages[i].size();
    }
  }
  std::vector<uint8_t> bytes(300);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t first = 0; first + 40 < bytes.size(); ++first) {
    std::vector<ByteSpan> spans;
    for (size_t i = 0; i < 40; ++i) spans.push_back(ByteSpan(bytes).first(first + i));
    std::vector<Digest256> digests(spans.size());
    Sha256dMany(spans, digests.data());
    for (size_t i = 0; i < spans.size(); ++i) {
      Digest256 once, twice;
      SHA256(spans[i].data(), spans[i].size(), once.data());
      SHA256(once.data(), once.size(), twice.data());
      ASSERT_EQ(digests[i], twice) << spans[i].size();
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

INSTANTIATE_TEST_SUITE_P(Paths, Sha256PathTest, ::testing::ValuesIn(AvailableSha256Paths()),
                         [](const auto& info) { return std::string(Sha256PathName(info.param)); });

TEST(Sha256, FastestAvailablePathIsChosenUnlessTheEnvironmentWishes) {
  const char* wish = std::getenv("HEADRACE_SHA256");
  if (wish == nullptr) {
    EXPECT_EQ(ActiveSha256Path(), AvailableSha256Paths().back());
  } else {
    bool known = false;
    for (Sha256Path path : AvailableSha256Paths()) known |= Sha256PathName(path) == wish;
    if (known) {
      EXPECT_EQ(Sha256PathName(ActiveSha256Path()), wish);
    }
  }
}

}  // namespace
}  // namespace headrace
