#include "net/transport/address.h"

#include "gtest/gtest.h"
#include "net/transport/resolve.h"

namespace headrace {
namespace {

TEST(AddressTest, PrintsWhatItReads) {
  for (const char* text : {"127.0.0.1:8333", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:8333", "[2001:db8::5]:1"}) {
    const auto address = ParseAddress(text, 1);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
    sockaddr_storage storage;
    address->ToSocket(storage);
    EXPECT_EQ(Address::FromSocket(storage), *address);
  }
}

TEST(AddressTest, MissingPortIsTheDefault) {
  EXPECT_EQ(ParseAddress("10.1.2.3", 8333)->ToString(), "10.1.2.3:8333");
  EXPECT_EQ(ParseAddress("::1", 8333)->ToString(), "[::1]:8333");
  EXPECT_EQ(ParseAddress("[::1]", 8333)->ToString(), "[::1]:8333");
  EXPECT_EQ(ParseAddress("::ffff:1.2.3.4", 8333)->ToString(), "1.2.3.4:8333");
  EXPECT_EQ(ParseAddress("[::ffff:1.2.3.4]", 8333)->ToString(), "1.2.3.4:8333");
  EXPECT_EQ(ParseAddress("[::ffff:1.2.3.4]:5", 8333)->ToString(), "1.2.3.4:5");
  EXPECT_EQ(*SplitHostPort("localhost", 18444), (HostPort{"localhost", 18444}));
  EXPECT_EQ(*SplitHostPort("node.example:5", 18444), (HostPort{"node.example", 5}));
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  for (const char* text : {"", ":8333", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4: 1", "1.2.3.4:080000",
                           "1.2.3:1", "1.2.3.4.5:1", "01.2.3.4:1", "256.1.1.1:1", "[::1", "[::1]x", "[::1]:", "[1.2.3.4]:1",
                           "[]:1", ":::1", "1::2::3", "[g::1]:1", "0x7f.1:1", "1.2.3.4 :1"}) {
    EXPECT_FALSE(ParseAddress(text, 1).ok()) << text;
  }
  EXPECT_FALSE(ParseAddress(std::string_view("1.2.3.4\0", 8), 1).ok());
}

TEST(AddressTest, KnowsLoopback) {
  EXPECT_TRUE(ParseAddress("127.9.9.9:1", 0)->is_loopback());
  EXPECT_TRUE(ParseAddress("[::1]:1", 0)->is_loopback());
  EXPECT_FALSE(ParseAddress("128.0.0.1:1", 0)->is_loopback());
  EXPECT_FALSE(ParseAddress("[::2]:1", 0)->is_loopback());
}

TEST(ResolveTest, NumericHostsAskNobody) {
  const auto addresses = ResolveHost({"127.0.0.1", 5});
  ASSERT_TRUE(addresses.ok());
  ASSERT_EQ(addresses->size(), 1u);
  EXPECT_EQ(addresses->front().ToString(), "127.0.0.1:5");
}

}  // namespace
}  // namespace headrace
