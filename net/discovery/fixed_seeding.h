// When the fixed seeds are taken into the book: once, while it is empty, and only when nobody else tells addresses.
//
// Whoever wrote the list down decides whom a new node meets, and most of the list may be gone: so whoever else there is to ask
// (DNS seeds, nodes that the operator named) has a minute to fill the book. Without them there is nothing to wait for.
//
// The reactor thread alone.
#pragma once

#include <cstdint>
#include <vector>

#include "net/discovery/address_book.h"

namespace headrace {

struct FixedSeedingOptions {
  std::vector<NodeAddress> addresses;  // none: there is no fixed seed
  bool are_others_asked = false;       // DNS seeds, or nodes that were named
};

class FixedSeeding {
 public:
  static constexpr int64_t kPatienceSeconds = 60;

  FixedSeeding(FixedSeedingOptions options, AddressBook& book, Clock& clock, Entropy& entropy);

  // Now and then.
  void Look();

 private:
  void FillBook();

  FixedSeedingOptions options_;
  AddressBook& book_;
  Clock& clock_;
  KeyedDraws draws_;
  const int64_t begun_ns_;
};

}  // namespace headrace
