// What `getaddr` is answered with: at most 23 % of the book and at most 1000 addresses, and for about a day the same ones to
// everybody who comes over the same network to the same listening address, so that who asks often, or under many names, learns
// nothing more, and who asks at two addresses of one node does not see that they are one's.
//
// One thread. A sample is at most 60 KB; there is one for each listener and kind of network that askers come over.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "net/discovery/address_book.h"

namespace headrace {

class AddressSamples {
 public:
  static constexpr size_t kAddressesMax = 1000;
  static constexpr size_t kPercentMax = 23;

  AddressSamples(AddressBook& book, Entropy& entropy) : book_(book), draws_(entropy) {}

  // `network` is the asker's (AddressNetwork), `listener` where it came to. A sample is kept for 21 to 27 hours, so that the moment at which it changes is
  // not known either; one that is empty is not kept.
  const std::vector<HeardAddress>& For(uint8_t network, const Address& listener, int64_t now_ns);
  // One that nobody else is given: for those whom the operator trusts with it.
  std::vector<HeardAddress> Fresh() { return book_.Sample(kAddressesMax, kPercentMax); }

 private:
  struct Kept {
    std::vector<HeardAddress> addresses;
    int64_t until_ns = INT64_MIN;
  };

  AddressBook& book_;
  KeyedDraws draws_;
  std::map<std::pair<uint8_t, Address>, Kept> kept_;
};

}  // namespace headrace
