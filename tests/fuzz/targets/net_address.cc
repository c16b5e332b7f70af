// Addresses, hosts with ports and ranges of addresses as operators write them: what is understood is printed and
// understood again, and a range holds exactly what its mask says.
#include "net/transport/address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "net/transport/subnet.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

// What the system's own reader says of a numeric host.
std::optional<std::array<uint8_t, 16>> SystemReads(const std::string& host) {
  std::array<uint8_t, 16> ip{};
  if (inet_pton(AF_INET6, host.c_str(), ip.data()) == 1) return ip;
  ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, host.c_str(), ip.data() + 12) == 1) return ip;
  return std::nullopt;
}

void CheckHost(std::string_view text) {
  const auto address = ParseNumericHost(text, 8333);
  if (text.find('\0') == std::string_view::npos) {
    const auto system = SystemReads(std::string(text));
    HR_CHECK(address.has_value() == system.has_value() && (!address || address->ip == *system));
  } else {
    HR_CHECK(!address);
  }
  if (!address) return;
  HR_CHECK(ParseNumericHost(address->HostText(), 8333) == address);
  const auto parsed = ParseAddress(address->ToString(), 1);
  HR_CHECK(parsed.ok() && *parsed == *address);
  sockaddr_storage storage{};
  HR_CHECK(address->ToSocket(storage) > 0 && Address::FromSocket(storage) == *address);
}

void CheckHostPort(std::string_view text, uint16_t default_port) {
  const auto split = SplitHostPort(text, default_port);
  const auto address = ParseAddress(text, default_port);
  HR_CHECK(split.ok() || !address.ok());
  if (!split.ok()) {
    HR_CHECK(!split.status().message().empty());
    return;
  }
  HR_CHECK(!split->host.empty() && text.find(split->host) != std::string_view::npos);
  const bool has_colon = split->host.find(':') != std::string::npos;
  const std::string joined = (has_colon ? "[" + split->host + "]" : split->host) + ":" + std::to_string(split->port);
  const auto again = SplitHostPort(joined, 0);
  HR_CHECK(again.ok() && *again == *split);
  if (address.ok()) HR_CHECK(ParseNumericHost(split->host, split->port) == *address);
}

// BASE/BITS by its bits; other forms are compared through their printed base.
void CheckSubnet(std::string_view text) {
  const auto range = Subnet::Parse(text);
  if (!range.ok()) {
    HR_CHECK(!range.status().message().empty());
    return;
  }
  const size_t slash = text.find('/');
  const auto base = ParseNumericHost(text.substr(0, slash), 0);
  HR_CHECK(base.has_value() && range->Contains(*base));
  int bits = 128;
  const std::string_view mask = slash == text.npos ? std::string_view() : text.substr(slash + 1);
  if (const auto mask_address = ParseNumericHost(mask, 0); slash != text.npos && mask_address) {
    bits = base->is_ipv4() ? 96 : 0;
    for (int bit = bits; bit < 128 && (mask_address->ip[bit / 8] >> (7 - bit % 8) & 1) != 0; ++bit) ++bits;
  } else if (slash != text.npos) {
    bits = std::stoi(std::string(mask)) + (base->is_ipv4() ? 96 : 0);
  }
  HR_CHECK(bits >= 0 && bits <= 128);
  for (int bit = 0; bit < 128; ++bit) {
    Address other = *base;
    other.ip[bit / 8] ^= static_cast<uint8_t>(0x80 >> bit % 8);
    HR_CHECK(range->Contains(other) == (bit >= bits));
  }
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint16_t port = in.U16();
  const std::string_view text = AsText(in.Take(200));
  CheckHost(text);
  CheckHostPort(text, port);
  CheckSubnet(text);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const char* text : {"127.0.0.1",
                           "127.0.0.1:8333",
                           "[::1]:18444",
                           "::1",
                           "2001:db8::ff00:42:8329",
                           "::ffff:1.2.3.4",
                           "[fe80::1]",
                           "example.org",
                           "example.org:65535",
                           "host:0",
                           "1.2.3.0/24",
                           "1.2.3.0/27",
                           "2001:db8::/61",
                           "1.2.3.0/255.255.254.0",
                           "1.2.3.0/255.255.255.0",
                           "2001:db8::/32",
                           "0.0.0.0/0",
                           "::/0",
                           "10.0.0.0/8",
                           "1.2.3.4/32",
                           "fc00::/7",
                           "::/ffff::",
                           "01.2.3.4",
                           "1.2.3",
                           "a:b:c:d:e:f:1:2",
                           "[::1]x",
                           ":8333",
                           "1.2.3.4/255.0.255.0",
                           "1::2::3",
                           "::1.2.3.4",
                           "host:99999"}) {
    const std::string_view view(text);
    corpus.emplace_back(Bytes{0x8d, 0x20}).insert(corpus.back().end(), view.begin(), view.end());
  }
  return corpus;
}

FUZZ_TARGET(net_address, 40'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
