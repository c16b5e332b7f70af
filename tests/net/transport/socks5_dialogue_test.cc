// What is said to a proxy, byte for byte, however its words are cut.
#include "net/transport/socks5_dialogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/sim_entropy.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;
using Bytes = std::vector<uint8_t>;

const Bytes kGreeting = {5, 2, 0, 2};

// Says all of `words` in pieces of `piece` bytes; what was answered.
Bytes Say(Socks5Dialogue& dialogue, const Bytes& words, size_t piece, size_t* consumed = nullptr) {
  Bytes answers;
  size_t taken = 0;
  for (size_t at = 0; at < words.size();) {
    const size_t count = std::min(piece, words.size() - at);
    const size_t one = dialogue.Consume(ByteSpan(words).subspan(at, count), answers);
    taken += one;
    if (one != count) break;
    at += count;
  }
  if (consumed != nullptr) *consumed = taken;
  return answers;
}

TEST(Socks5Dialogue, WithoutAPasswordToAnAddress) {
  for (size_t piece : {1, 2, 3, 100}) {
    Socks5Dialogue dialogue({"1.2.3.4", 0x208d}, 7);
    EXPECT_EQ(dialogue.Begin(), kGreeting);
    EXPECT_EQ(Say(dialogue, {5, 0}, piece), (Bytes{5, 1, 0, 1, 1, 2, 3, 4, 0x20, 0x8d}));
    EXPECT_FALSE(dialogue.is_done());
    // The peer's own bytes come right behind.
    size_t consumed = 0;
    EXPECT_EQ(Say(dialogue, {5, 0, 0, 1, 9, 9, 9, 9, 1, 2, 77, 78, 79}, piece, &consumed), Bytes{});
    EXPECT_EQ(consumed, 10u);
    EXPECT_TRUE(dialogue.is_done());
    EXPECT_EQ(dialogue.failure(), "");
  }
}

TEST(Socks5Dialogue, WithAPasswordToAName) {
  Socks5Dialogue dialogue({"ab.onion", 8333}, 0x1234);
  dialogue.Begin();
  Bytes password = {1, 16};
  const std::string name = "0000000000001234";
  password.insert(password.end(), name.begin(), name.end());
  password.push_back(16);
  password.insert(password.end(), name.begin(), name.end());
  EXPECT_EQ(Say(dialogue, {5, 2}, 1), password);
  Bytes request = {5, 1, 0, 3, 8, 'a', 'b', '.', 'o', 'n', 'i', 'o', 'n', 0x20, 0x8d};
  EXPECT_EQ(Say(dialogue, {1, 0}, 1), request);
  Bytes reply = {5, 0, 0, 3, 3, 'x', 'y', 'z', 0, 1};
  size_t consumed = 0;
  Say(dialogue, reply, 1, &consumed);
  EXPECT_EQ(consumed, reply.size());
  EXPECT_TRUE(dialogue.is_done());
}

TEST(Socks5Dialogue, ToAnIpv6Address) {
  Socks5Dialogue dialogue({"2a00::1", 1}, 7);
  dialogue.Begin();
  EXPECT_EQ(Say(dialogue, {5, 0}, 2), (Bytes{5, 1, 0, 4, 0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}));
  Bytes reply(22, 0);
  reply[0] = 5;
  reply[3] = 4;
  reply.push_back(99);
  size_t consumed = 0;
  Say(dialogue, reply, 5, &consumed);
  EXPECT_EQ(consumed, 22u);
  EXPECT_TRUE(dialogue.is_done());
}

std::string FailureAfter(const Bytes& words) {
  Socks5Dialogue dialogue({"1.2.3.4", 1}, 7);
  dialogue.Begin();
  Say(dialogue, words, 1);
  EXPECT_FALSE(dialogue.is_done());
  return dialogue.failure();
}

TEST(Socks5Dialogue, RefusalsAreTold) {
  EXPECT_THAT(FailureAfter({'H', 'T'}), HasSubstr("does not speak SOCKS5"));
  EXPECT_THAT(FailureAfter({4, 0}), HasSubstr("does not speak SOCKS5"));
  EXPECT_THAT(FailureAfter({5, 0xff}), HasSubstr("who asks"));
  EXPECT_THAT(FailureAfter({5, 2, 1, 1}), HasSubstr("password"));
  EXPECT_THAT(FailureAfter({5, 0, 5, 5}), HasSubstr("connection refused")) << "known from the second byte";
  EXPECT_THAT(FailureAfter({5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0}), HasSubstr("host unreachable"));
  EXPECT_THAT(FailureAfter({5, 0, 5, 200}), HasSubstr("reply 200"));
  EXPECT_THAT(FailureAfter({5, 0, 4, 0}), HasSubstr("does not speak SOCKS5"));
  EXPECT_THAT(FailureAfter({5, 0, 5, 0, 0, 7, 0, 0, 0}), HasSubstr("malformed"));
  EXPECT_EQ(FailureAfter({5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 5}), "") << "one byte is missing";
}

TEST(Socks5Dialogue, NamesHaveALimit) {
  Socks5Dialogue longest({std::string(255, 'a'), 1}, 7);
  EXPECT_EQ(longest.Begin(), kGreeting);
  for (const size_t size : {size_t{0}, size_t{256}}) {
    Socks5Dialogue dialogue({std::string(size, 'a'), 1}, 7);
    EXPECT_EQ(dialogue.Begin(), Bytes{});
    EXPECT_NE(dialogue.failure(), "");
  }
}

TEST(Socks5Dialogue, NoiseEndsInDoneOrAFailureAndTakesNoMoreThanItsWords) {
  sim::SimEntropy entropy(1);
  for (int i = 0; i < 20'000; ++i) {
    Socks5Dialogue dialogue({"1.2.3.4", 1}, 7);
    dialogue.Begin();
    Bytes words(600);
    for (uint8_t& byte : words) byte = static_cast<uint8_t>(entropy.OneIn(2) ? entropy.Below(6) : entropy.Below(256));
    size_t consumed = 0;
    Say(dialogue, words, 1 + entropy.Below(20), &consumed);
    EXPECT_NE(dialogue.is_done(), !dialogue.failure().empty());
    EXPECT_LE(consumed, 2u + 2 + 5 + 255 + 2);
  }
}

}  // namespace
}  // namespace headrace
