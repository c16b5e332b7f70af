// Addresses whose nodes broke a rule: not accepted again while they are remembered.
//
// Bounded: the oldest is forgotten when a new one comes. The reactor thread alone.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "net/transport/address.h"

namespace headrace {

class DiscouragedHosts {
 public:
  static constexpr size_t kHostsMax = 10'000;

  void Add(const Address& address);
  bool Contains(const Address& address) const { return hosts_.contains(address.ip); }

 private:
  absl::flat_hash_set<std::array<uint8_t, 16>> hosts_;
  std::deque<std::array<uint8_t, 16>> order_;
};

}  // namespace headrace
