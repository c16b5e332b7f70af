#include "net/wire/framer.h"

#include <random>

#include "engine/base/limits.h"
#include "gtest/gtest.h"
#include "net/wire/commands.h"
#include "net/wire/outgoing_message.h"

namespace headrace {
namespace {

constexpr NetworkMagic kMagic = {0xf9, 0xbe, 0xb4, 0xd9};

struct Whole {
  std::string command;
  std::vector<uint8_t> body;
  bool is_exact = false;
  bool operator==(const Whole&) const = default;
};

Framer::SlabMaker NoSlabs() {
  return [](const Command&, uint32_t) { return nullptr; };
}

// Exact slabs for every block.
Framer::SlabMaker BlockSlabs() {
  return [](const Command& command, uint32_t size) {
    return command == commands::kBlock ? std::make_shared<Slab>(size) : nullptr;
  };
}

std::vector<uint8_t> Bytes(const SharedBytes& bytes) { return {bytes.bytes.begin(), bytes.bytes.end()}; }

void TakeInto(Framer& framer, std::vector<Whole>& out) {
  if (!framer.has_message()) return;
  const Message message = framer.TakeMessage();
  out.push_back({std::string(message.command.name()), {message.body.begin(), message.body.end()}, message.slab != nullptr});
}

// Feeds `stream` cut at random places, some of it through DirectTarget as a transport would.
std::vector<Whole> FeedRandomly(Framer& framer, ByteSpan stream, std::mt19937_64& random, size_t piece_max) {
  std::vector<Whole> messages;
  while (!stream.empty() && framer.error() == FramingError::kNone) {
    const size_t piece = std::min<size_t>(stream.size(), 1 + random() % piece_max);
    const MutableByteSpan target = framer.DirectTarget();
    if (!target.empty() && random() % 2 == 0) {
      const size_t size = std::min(piece, target.size());
      std::copy_n(stream.begin(), size, target.begin());
      framer.CommitDirect(size);
      stream = stream.subspan(size);
    } else {
      ByteSpan rest = stream.first(piece);
      stream = stream.subspan(piece);
      while (!rest.empty() && framer.error() == FramingError::kNone) {
        rest = rest.subspan(framer.Consume(rest));
        TakeInto(framer, messages);
      }
    }
    TakeInto(framer, messages);
  }
  return messages;
}

TEST(FramerTest, AnySplitGivesTheSameMessages) {
  std::mt19937_64 random(20);
  size_t cases = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<Whole> expected;
    std::vector<uint8_t> stream;
    for (int i = 0; i < 30; ++i) {
      const bool is_block = random() % 3 == 0;
      std::vector<uint8_t> body(random() % 4 == 0 ? 0 : random() % (is_block ? 60'000 : 400));
      for (uint8_t& byte : body) byte = static_cast<uint8_t>(random());
      const Command command = is_block ? commands::kBlock : commands::kHeaders;
      const std::vector<uint8_t> message = Bytes(EncodeMessage(kMagic, command, body));
      stream.insert(stream.end(), message.begin(), message.end());
      expected.push_back({std::string(command.name()), std::move(body), is_block});
    }
    for (const size_t piece_max : {size_t{3}, size_t{50}, size_t{5000}, size_t{70'000}, stream.size()}) {
      if (piece_max == 3 && round % 20 != 0) continue;
      Framer framer(kMagic, BlockSlabs());
      ASSERT_EQ(FeedRandomly(framer, stream, random, piece_max), expected) << "pieces up to " << piece_max;
      ++cases;
    }
    Framer growing(kMagic, NoSlabs());
    for (Whole& whole : expected) whole.is_exact = false;
    ASSERT_EQ(FeedRandomly(growing, stream, random, 4000), expected);
    ++cases;
  }
  std::printf("splits=%zu\n", cases);
}

TEST(FramerTest, AWholeMessageIsNotCopied) {
  const std::vector<uint8_t> stream = Bytes(EncodeMessage(kMagic, commands::kInv, std::vector<uint8_t>(100, 7)));
  Framer framer(kMagic, NoSlabs());
  ASSERT_EQ(framer.Consume(stream), stream.size());
  ASSERT_TRUE(framer.has_message());
  EXPECT_EQ(framer.TakeMessage().body.data(), stream.data() + MessageHeader::kSerializedBytes);
  EXPECT_EQ(framer.buffered_bytes(), 0u);
}

TEST(FramerTest, MemoryGrowsWithWhatWasReceived) {
  Framer framer(kMagic, NoSlabs());
  MessageHeader header{kMagic, commands::kBlock, kMaxMessageBytes, {}};
  uint8_t bytes[MessageHeader::kSerializedBytes];
  header.Store(bytes);
  framer.Consume(bytes);
  EXPECT_EQ(framer.error(), FramingError::kNone);
  EXPECT_EQ(framer.buffered_bytes(), 0u) << "an announcement alone takes no memory";
  const std::vector<uint8_t> some(1000, 1);
  framer.Consume(some);
  EXPECT_LE(framer.buffered_bytes(), 4000u);
}

TEST(FramerTest, ALargeBufferIsGivenBack) {
  Framer framer(kMagic, NoSlabs());
  const std::vector<uint8_t> large = Bytes(EncodeMessage(kMagic, commands::kBlock, std::vector<uint8_t>(1'000'000, 7)));
  framer.Consume(ByteSpan(large).first(100));
  framer.Consume(ByteSpan(large).subspan(100));
  ASSERT_TRUE(framer.has_message());
  framer.TakeMessage();
  EXPECT_GE(framer.buffered_bytes(), 1'000'000u);
  framer.Consume(ByteSpan(large).first(1));
  EXPECT_LT(framer.buffered_bytes(), 100'000u);
}

TEST(FramerTest, SizeLimitIsExact) {
  for (const uint32_t size : {kMaxMessageBytes, kMaxMessageBytes + 1, 0xffffffffu}) {
    Framer framer(kMagic, NoSlabs());
    uint8_t bytes[MessageHeader::kSerializedBytes];
    MessageHeader{kMagic, commands::kInv, size, {}}.Store(bytes);
    framer.Consume(bytes);
    EXPECT_EQ(framer.error(), size <= kMaxMessageBytes ? FramingError::kNone : FramingError::kOversized) << size;
  }
}

TEST(FramerTest, FaultsAreNamedAndFinal) {
  const std::vector<uint8_t> good = Bytes(EncodeMessage(kMagic, commands::kPing, std::vector<uint8_t>(8, 1)));
  struct Case {
    size_t at;
    uint8_t value;
    FramingError error;
  };
  for (const Case& fault : {Case{0, 0xf8, FramingError::kWrongMagic}, Case{3, 0, FramingError::kWrongMagic},
                            Case{4, 0, FramingError::kBadCommand}, Case{4, 0x1f, FramingError::kBadCommand},
                            Case{4, 0x7f, FramingError::kBadCommand}, Case{9, 'x', FramingError::kBadCommand},
                            Case{15, 1, FramingError::kBadCommand}, Case{19, 1, FramingError::kOversized},
                            Case{20, 0, FramingError::kBadChecksum}, Case{23, 0, FramingError::kBadChecksum},
                            Case{24, 0, FramingError::kBadChecksum}, Case{31, 0, FramingError::kBadChecksum}}) {
    std::vector<uint8_t> bad = good;
    ASSERT_NE(bad[fault.at], fault.value);
    bad[fault.at] = fault.value;
    Framer framer(kMagic, NoSlabs());
    framer.Consume(bad);
    EXPECT_EQ(framer.error(), fault.error) << "byte " << fault.at;
    EXPECT_FALSE(framer.has_message());
    EXPECT_EQ(framer.Consume(good), 0u);
    EXPECT_TRUE(framer.DirectTarget().empty());
  }
}

TEST(FramerTest, ChecksumOfADirectBodyIsChecked) {
  std::vector<uint8_t> stream = Bytes(EncodeMessage(kMagic, commands::kBlock, std::vector<uint8_t>(100'000, 7)));
  stream.back() ^= 1;
  Framer framer(kMagic, BlockSlabs());
  framer.Consume(ByteSpan(stream).first(24));
  const MutableByteSpan target = framer.DirectTarget();
  ASSERT_EQ(target.size(), 100'000u);
  std::copy(stream.begin() + 24, stream.end(), target.begin());
  framer.CommitDirect(target.size());
  EXPECT_EQ(framer.error(), FramingError::kBadChecksum);
}

TEST(FramerTest, ChecksumOfNothingIsKnown) {
  // A published value: the checksum of an empty body.
  EXPECT_EQ(MessageChecksum({}), (std::array<uint8_t, 4>{0x5d, 0xf6, 0xe0, 0xe2}));
}

}  // namespace
}  // namespace headrace
