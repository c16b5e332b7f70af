#include "net/transport/subnet.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

bool Holds(const std::string& range, const std::string& host) {
  const absl::StatusOr<Subnet> subnet = Subnet::Parse(range);
  EXPECT_TRUE(subnet.ok()) << range << ": " << subnet.status();
  const auto address = ParseNumericHost(host, 8332);
  EXPECT_TRUE(address.has_value()) << host;
  return subnet.ok() && address && subnet->Contains(*address);
}

TEST(SubnetTest, SingleAddresses) {
  EXPECT_TRUE(Holds("1.2.3.4", "1.2.3.4"));
  EXPECT_FALSE(Holds("1.2.3.4", "1.2.3.5"));
  EXPECT_TRUE(Holds("::1", "::1"));
  EXPECT_FALSE(Holds("::1", "::2"));
  EXPECT_TRUE(Holds("::ffff:1.2.3.4", "1.2.3.4")) << "one address, however it is written";
}

TEST(SubnetTest, BitsDecideAtEveryLength) {
  const std::string base = "170.170.170.170";  // 10101010...
  for (int bits = 0; bits <= 32; ++bits) {
    const uint32_t inside = 0xaaaaaaaa ^ (bits < 32 ? 1u : 0u);
    auto text = [](uint32_t ip) {
      return std::to_string(ip >> 24) + "." + std::to_string(ip >> 16 & 255) + "." + std::to_string(ip >> 8 & 255) +
             "." + std::to_string(ip & 255);
    };
    const std::string range = base + "/" + std::to_string(bits);
    EXPECT_TRUE(Holds(range, text(inside))) << range;
    if (bits > 0) {
      EXPECT_FALSE(Holds(range, text(0xaaaaaaaa ^ (1u << (32 - bits))))) << range;
    }
    EXPECT_FALSE(Holds(range, "2001:db8::1")) << range << " holds no IPv6 address";
  }
  EXPECT_TRUE(Holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(Holds("::/0", "2001:db8::1"));
}

TEST(SubnetTest, Masks) {
  EXPECT_TRUE(Holds("192.168.0.0/255.255.0.0", "192.168.77.1"));
  EXPECT_FALSE(Holds("192.168.0.0/255.255.0.0", "192.169.0.1"));
  EXPECT_TRUE(Holds("0.0.0.0/0.0.0.0", "8.8.8.8"));
  EXPECT_TRUE(Holds("2001:db8::/ffff:ffff::", "2001:db8:1::"));
  EXPECT_FALSE(Holds("2001:db8::/ffff:ffff::", "2001:db9::"));
}

TEST(SubnetTest, NoRanges) {
  for (const char* text :
       {"", "/", "1.2.3", "1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/255.0.255.0", "1.2.3.4/ffff::", "::/129",
        "::/255.0.0.0", "localhost", "1.2.3.4/8/8", "1.2.3.4 /8", "*", "1.2.3.4/8x"}) {
    EXPECT_FALSE(Subnet::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace headrace
