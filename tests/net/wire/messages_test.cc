// Every message codec: what is encoded is decoded again, and nothing else is.
#include <functional>
#include <random>

#include "engine/base/limits.h"
#include "engine/primitives/byte_writer.h"
#include "gtest/gtest.h"
#include "net/wire/address_messages.h"
#include "net/wire/chain_messages.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/small_messages.h"
#include "net/wire/version_message.h"

namespace headrace {
namespace {

using Body = std::vector<uint8_t>;
using Decoder = std::function<DecodeError(ByteSpan)>;

Hash256 MakeHash(uint32_t number) {
  Hash256 hash;
  StoreLittle(hash.bytes.data() + 28, number);
  return hash;
}

std::vector<BlockHeader> MakeHeaders(size_t count) {
  std::vector<BlockHeader> headers(count);
  for (size_t i = 0; i < count; ++i) headers[i].nonce = static_cast<uint32_t>(i);
  return headers;
}

std::vector<InventoryItem> MakeItems(size_t count) {
  std::vector<InventoryItem> items;
  for (uint32_t i = 0; i < count; ++i) items.push_back({kInvWitnessBlock, MakeHash(i)});
  return items;
}

template <typename T>
Body EncodeAs(void (*encode)(const T&, Body&), const T& value) {
  Body body;
  encode(value, body);
  return body;
}

template <typename T>
Decoder DecoderOf(DecodeError (*decode)(ByteSpan, T&)) {
  return [decode](ByteSpan body) {
    T value{};
    return decode(body, value);
  };
}

// Every proper prefix is truncated, and one byte more is too much. Each prefix is its own allocation, so that a read
// beyond it is seen by the address sanitizer.
void ExpectStrict(const Body& body, const Decoder& decode, size_t step = 1) {
  EXPECT_EQ(decode(body), DecodeError::kNone);
  for (size_t size = 0; size < body.size(); size += step) {
    const Body prefix(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(decode(prefix), DecodeError::kTruncated) << "prefix of " << size;
  }
  Body longer = body;
  longer.push_back(0);
  EXPECT_EQ(decode(longer), DecodeError::kTrailingBytes);
}

VersionMessage MakeVersion() {
  VersionMessage version;
  version.protocol_version = 70016;
  version.services = 0x0409;
  version.time_s = 0x123456789a;
  version.receiver = {1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 0x1234};
  version.sender = {9, {16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 0xfedc};
  version.nonce = 0x1122334455667788;
  version.user_agent = "/headrace:0.1.0/";
  version.start_height = 850'000;
  version.relay_transactions = false;
  return version;
}

TEST(VersionMessageTest, EveryFieldIsInItsPlace) {
  const VersionMessage version = MakeVersion();
  const Body body = EncodeAs(EncodeVersion, version);
  ASSERT_EQ(body.size(), 4u + 8 + 8 + 26 + 26 + 8 + 1 + 16 + 4 + 1);
  EXPECT_EQ(LoadLittle32(&body[0]), 70016u);
  EXPECT_EQ(LoadBig16(&body[20 + 24]), 0x1234);
  EXPECT_EQ(LoadBig16(&body[46 + 24]), 0xfedc);
  EXPECT_EQ(LoadLittle64(&body[72]), version.nonce);
  EXPECT_EQ(body[80], 16);
  EXPECT_EQ(body.back(), 0);
  VersionMessage decoded;
  ASSERT_EQ(DecodeVersion(body, decoded), DecodeError::kNone);
  EXPECT_EQ(decoded, version);
}

TEST(VersionMessageTest, OnlyTheRelayFlagMayBeMissing) {
  const Body body = EncodeAs(EncodeVersion, MakeVersion());
  for (size_t size = 0; size < body.size(); ++size) {
    VersionMessage decoded;
    const Body prefix(body.begin(), body.begin() + static_cast<ptrdiff_t>(size));
    const DecodeError error = DecodeVersion(prefix, decoded);
    EXPECT_EQ(error, size == body.size() - 1 ? DecodeError::kNone : DecodeError::kTruncated) << size;
    if (error == DecodeError::kNone) {
      EXPECT_TRUE(decoded.relay_transactions);
    }
  }
  Body longer = body;
  longer.push_back(1);
  VersionMessage decoded;
  EXPECT_EQ(DecodeVersion(longer, decoded), DecodeError::kNone) << "fields of future versions are not read";
}

TEST(VersionMessageTest, UserAgentLimitIsExact) {
  for (const size_t size : {size_t{0}, size_t{256}, size_t{257}}) {
    VersionMessage version = MakeVersion();
    version.user_agent.assign(size, 'a');
    VersionMessage decoded;
    const DecodeError error = DecodeVersion(EncodeAs(EncodeVersion, version), decoded);
    EXPECT_EQ(error, size > 256 ? DecodeError::kOversizedCount : DecodeError::kNone);
    if (size <= 256) {
      EXPECT_EQ(decoded, version);
    }
  }
}

TEST(ChainMessagesTest, LocatorIsStrictAndLimited) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{100}, size_t{101}, size_t{102}}) {
    LocatorMessage message{70016, {}, MakeHash(99)};
    for (uint32_t i = 0; i < count; ++i) message.locator.push_back(MakeHash(i));
    const Body body = EncodeAs(EncodeLocator, message);
    LocatorMessage decoded;
    if (count > 101) {
      EXPECT_EQ(DecodeLocator(body, decoded), DecodeError::kOversizedCount);
      continue;
    }
    ASSERT_EQ(DecodeLocator(body, decoded), DecodeError::kNone);
    EXPECT_EQ(decoded, message);
    ExpectStrict(body, DecoderOf(DecodeLocator));
  }
}

TEST(ChainMessagesTest, HeadersAreStrictAndLimited) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{3}, size_t{2000}, size_t{2001}}) {
    const std::vector<BlockHeader> headers = MakeHeaders(count);
    const Body body = EncodeAs(EncodeHeaders, headers);
    std::vector<BlockHeader> decoded;
    if (count > 2000) {
      EXPECT_EQ(DecodeHeaders(body, decoded), DecodeError::kOversizedCount);
      EXPECT_TRUE(decoded.empty());
      continue;
    }
    ASSERT_EQ(DecodeHeaders(body, decoded), DecodeError::kNone);
    EXPECT_EQ(decoded, headers);
    ExpectStrict(body, DecoderOf(DecodeHeaders), count > 10 ? 997 : 1);
  }
}

TEST(ChainMessagesTest, HeadersCarryNoTransactions) {
  Body body = EncodeAs(EncodeHeaders, MakeHeaders(2));
  body[1 + 80] = 1;
  std::vector<BlockHeader> decoded;
  EXPECT_NE(DecodeHeaders(body, decoded), DecodeError::kNone);
}

TEST(InventoryMessagesTest, ItemsAreStrictAndLimited) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{252}, size_t{253}, size_t{50'000}, size_t{50'001}}) {
    const std::vector<InventoryItem> items = MakeItems(count);
    const Body body = EncodeAs(EncodeInventory, items);
    std::vector<InventoryItem> decoded;
    if (count > 50'000) {
      EXPECT_EQ(DecodeInventory(body, decoded), DecodeError::kOversizedCount);
      EXPECT_TRUE(decoded.empty());
      continue;
    }
    ASSERT_EQ(DecodeInventory(body, decoded), DecodeError::kNone);
    EXPECT_EQ(decoded, items);
    ExpectStrict(body, DecoderOf(DecodeInventory), count > 300 ? 100'003 : 1);
  }
}

TEST(InventoryMessagesTest, AHugeCountTakesNoMemory) {
  Body body;
  ByteWriter(body).CompactSize(50'000);
  std::vector<InventoryItem> decoded;
  EXPECT_EQ(DecodeInventory(body, decoded), DecodeError::kTruncated);
  EXPECT_EQ(decoded.capacity(), 0u);
  // Counts in a longer form than needed are refused.
  EXPECT_EQ(DecodeInventory(Body{0xfd, 0x01, 0x00}, decoded), DecodeError::kNonCanonicalCompactSize);
}

TEST(AddressMessagesTest, AddrIsStrictAndLimited) {
  for (const size_t count : {size_t{0}, size_t{2}, size_t{1000}, size_t{1001}}) {
    std::vector<TimedAddress> addresses(count);
    for (size_t i = 0; i < count; ++i) {
      addresses[i] = {static_cast<uint32_t>(i), {1, {}, static_cast<uint16_t>(i)}};
      addresses[i].address.ip[15] = static_cast<uint8_t>(i);
    }
    const Body body = EncodeAs(EncodeAddr, addresses);
    std::vector<TimedAddress> decoded;
    if (count > 1000) {
      EXPECT_EQ(DecodeAddr(body, decoded), DecodeError::kOversizedCount);
      continue;
    }
    ASSERT_EQ(DecodeAddr(body, decoded), DecodeError::kNone);
    EXPECT_EQ(decoded, addresses);
    ExpectStrict(body, DecoderOf(DecodeAddr), count > 10 ? 997 : 1);
  }
}

TEST(AddressMessagesTest, AddrV2CarriesEveryNetwork) {
  std::vector<NetworkAddress> addresses;
  for (const auto& [network, size] : {std::pair{1, 4}, {2, 16}, {3, 10}, {4, 32}, {5, 32}, {6, 16}, {200, 0}, {201, 512}}) {
    addresses.push_back({7, 0x100000409, static_cast<uint8_t>(network), Body(static_cast<size_t>(size), 3), 8333});
  }
  const Body body = EncodeAs(EncodeAddrV2, addresses);
  std::vector<NetworkAddress> decoded;
  ASSERT_EQ(DecodeAddrV2(body, decoded), DecodeError::kNone);
  EXPECT_EQ(decoded, addresses);
  ExpectStrict(body, DecoderOf(DecodeAddrV2));
}

TEST(AddressMessagesTest, AddrV2RefusesWrongLengths) {
  for (const auto& [network, size] : {std::pair{1, 5}, {1, 3}, {2, 4}, {3, 16}, {4, 31}, {5, 33}, {6, 0}, {200, 513}}) {
    const std::vector<NetworkAddress> addresses = {
        {7, 1, static_cast<uint8_t>(network), Body(static_cast<size_t>(size), 3), 8333}};
    std::vector<NetworkAddress> decoded;
    EXPECT_EQ(DecodeAddrV2(EncodeAs(EncodeAddrV2, addresses), decoded), DecodeError::kOversizedCount) << network;
  }
  std::vector<NetworkAddress> decoded;
  const std::vector<NetworkAddress> many(1001, NetworkAddress{7, 1, 1, Body(4), 1});
  EXPECT_EQ(DecodeAddrV2(EncodeAs(EncodeAddrV2, many), decoded), DecodeError::kOversizedCount);
}

TEST(SmallMessagesTest, RoundTripsAndStrictness) {
  Body body;
  EncodeNonce(0x0102030405060708, body);
  uint64_t nonce = 0;
  ASSERT_EQ(DecodeNonce(body, nonce), DecodeError::kNone);
  EXPECT_EQ(nonce, 0x0102030405060708u);
  ExpectStrict(body, DecoderOf(DecodeNonce));

  const SendCompactMessage compact{true, 2};
  body = EncodeAs(EncodeSendCompact, compact);
  SendCompactMessage decoded;
  ASSERT_EQ(DecodeSendCompact(body, decoded), DecodeError::kNone);
  EXPECT_EQ(decoded, compact);
  ExpectStrict(body, DecoderOf(DecodeSendCompact));
  body[0] = 2;
  EXPECT_NE(DecodeSendCompact(body, decoded), DecodeError::kNone);

  body.clear();
  EncodeFeeFilter(-5, body);
  int64_t fee_rate = 0;
  ASSERT_EQ(DecodeFeeFilter(body, fee_rate), DecodeError::kNone);
  EXPECT_EQ(fee_rate, -5);
  ExpectStrict(body, DecoderOf(DecodeFeeFilter));

  ExpectStrict({}, DecodeEmpty);
}

TEST(MessagesTest, RandomBytesNeverBreakADecoder) {
  std::mt19937_64 random(5);
  const std::vector<Decoder> decoders = {DecoderOf(DecodeVersion), DecoderOf(DecodeLocator), DecoderOf(DecodeHeaders),
                                         DecoderOf(DecodeInventory), DecoderOf(DecodeAddr), DecoderOf(DecodeAddrV2),
                                         DecoderOf(DecodeSendCompact)};
  size_t accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    Body body(random() % 200);
    for (uint8_t& byte : body) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : random() % 3);
    for (const Decoder& decode : decoders) accepted += decode(body) == DecodeError::kNone ? 1 : 0;
  }
  EXPECT_GT(accepted, 0u) << "some random bodies are messages";
  std::printf("accepted=%zu\n", accepted);
}

}  // namespace
}  // namespace headrace
