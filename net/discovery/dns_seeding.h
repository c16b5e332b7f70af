// When DNS seeds are asked, and what becomes of their answers.
//
// Whoever runs a seed decides what a new node sees: so an empty book asks all of them at once, as -forcednsseed does, and
// each is a source of its own in the book. Otherwise they are asked when no two peers have been found for eleven seconds, and
// again when the node has been alone for ten minutes: three of them at a time, in random order, and the next three eleven
// seconds later if there are still no two peers. Seeds know a prefix for nodes that serve all blocks with witnesses (x9); the
// plain name is asked when that gives nothing.
//
// Behind a proxy nobody is to see that names of seeds are asked for: there the proxy connects to each seed's name, that is to one
// of the nodes that the seed would tell, and this one is asked for addresses.
//
// The reactor thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/discovery/address_book.h"
#include "net/discovery/name_lookup.h"
#include "net/discovery/outbound_plan.h"

namespace headrace {

struct DnsSeedingOptions {
  std::vector<std::string> names;
  uint16_t port = 0;  // of the nodes: seeds tell addresses alone
  bool is_forced = false;
};

class DnsSeeding {
 public:
  static constexpr size_t kAskedAtOnce = 3;
  static constexpr size_t kAddressesPerAnswerMax = 32;
  static constexpr size_t kPeersEnough = 2;
  static constexpr int64_t kPatienceSeconds = 11;
  static constexpr int64_t kAloneSeconds = 600;

  // Without `lookup`, through the proxy.
  DnsSeeding(DnsSeedingOptions options, NameLookup* lookup, OutboundPlan& plan, AddressBook& book, Clock& clock,
             Entropy& entropy);

  // Now and then; `peers` are those whose handshake is complete, not counting who came by himself.
  void LookAt(size_t peers);

 private:
  void TakeAnswers();
  void Ask(const std::string& name);
  void BeginRound(int64_t now_ns, int64_t wait_seconds);

  const DnsSeedingOptions options_;
  NameLookup* const lookup_;
  OutboundPlan& plan_;
  AddressBook& book_;
  Clock& clock_;
  KeyedDraws draws_;
  bool has_begun_ = false;
  bool must_ask_all_ = false;  // at once, whoever is there
  std::vector<std::string> left_;  // to be asked in this round, the last first
  int64_t next_ns_ = 0;
  int64_t alone_since_ns_ = 0;
};

}  // namespace headrace
