#include "net/transport/subnet.h"

#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"

namespace headrace {
namespace {

constexpr int kMappedPrefixBits = 96;  // of IPv4 addresses

absl::Status BadSubnet(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(text),
                   "\" is no range of addresses: write one address (1.2.3.4), a network with the number of its bits "
                   "(1.2.3.0/24, 2001:db8::/32) or with its mask (1.2.3.0/255.255.255.0)"));
}

// How many leading bits of a mask are set; nothing when ones follow zeros.
std::optional<int> PrefixBitsOfMask(const Address& mask, bool is_ipv4) {
  int bits = is_ipv4 ? kMappedPrefixBits : 0;
  for (int i = bits; i < 128; ++i) {
    const bool is_one = (mask.ip[static_cast<size_t>(i / 8)] >> (7 - i % 8) & 1) != 0;
    if (is_one && bits != i) return std::nullopt;
    if (is_one) ++bits;
  }
  return bits;
}

}  // namespace

absl::StatusOr<Subnet> Subnet::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::optional<Address> base = ParseNumericHost(text.substr(0, slash), 0);
  if (!base) return BadSubnet(text);
  Subnet subnet;
  subnet.base_ = *base;
  if (slash == std::string_view::npos) return subnet;

  const std::string_view size = text.substr(slash + 1);
  int bits = 0;
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), bits);
  if (error == std::errc() && end == size.data() + size.size()) {
    const int first = base->is_ipv4() ? kMappedPrefixBits : 0;
    if (bits < 0 || bits > 128 - first) return BadSubnet(text);
    subnet.prefix_bits_ = first + bits;
    return subnet;
  }
  const std::optional<Address> mask = ParseNumericHost(size, 0);
  if (!mask || mask->is_ipv4() != base->is_ipv4()) return BadSubnet(text);
  const std::optional<int> mask_bits = PrefixBitsOfMask(*mask, base->is_ipv4());
  if (!mask_bits) return BadSubnet(text);
  subnet.prefix_bits_ = *mask_bits;
  return subnet;
}

bool Subnet::Contains(const Address& address) const {
  const size_t whole_bytes = static_cast<size_t>(prefix_bits_ / 8);
  for (size_t i = 0; i < whole_bytes; ++i) {
    if (address.ip[i] != base_.ip[i]) return false;
  }
  const int rest = prefix_bits_ % 8;
  return rest == 0 || (address.ip[whole_bytes] ^ base_.ip[whole_bytes]) >> (8 - rest) == 0;
}

}  // namespace headrace
