// What is taken from peers that tell of addresses, and what they are told: rates, relay, answers, this node's own address.
//
// From each peer 0.1 addresses a second are taken, saved up to 1000 (an answer that was asked for is not counted against
// that); the rest is dropped unseen. A few fresh addresses that nobody asked for are handed on to two peers (one, when this node
// could not dial them), the same two all day wherever an address comes from, so that sending one often does not spread it
// further. What is handed on waits about half a minute, so that its way cannot be followed. `getaddr` is answered once a
// connection, to those who came by themselves: whoever is dialled must not be able to look into the book of the dialler.
//
// One thread. Memory a peer: 2000 hashes of what it knows, and at most 1000 addresses that wait for it (100 KB).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "engine/ports/peer_gateway.h"
#include "net/discovery/address_book.h"
#include "net/discovery/address_samples.h"
#include "net/discovery/recent_hashes.h"

namespace headrace {

class AddressGossip {
 public:
  // An unasked message of more addresses is a list, which is not handed on.
  static constexpr size_t kRelayedPerMessageMax = 10;
  static constexpr double kAllowancePerSecond = 0.1;
  static constexpr double kAllowanceMax = 1000;

  // A peer whose handshake is complete. Block-relay-only ones and those that stay for a moment do not take part.
  struct Joining {
    NodeAddress address;
    bool is_inbound = false;
    bool is_asked = false;  // `getaddr` was sent to it
    Address listener{};     // where it came in, if it did
    bool is_trusted = false;  // by the operator: it may tell at any rate, and is answered from the book itself
  };
  struct Tally {
    size_t taken = 0;
    size_t beyond_rate = 0;
  };

  AddressGossip(AddressBook& book, Clock& clock, Entropy& entropy);

  // What this node tells of itself, to new peers at once and to all about daily.
  void SetOwn(std::vector<HeardAddress> own) { own_ = std::move(own); }
  // An address behind which this node met itself: not told, and not taken or dialled again. The last sixteen are known.
  void MarkAsSelf(const NodeAddress& address);
  bool IsOwn(const NodeAddress& address) const;

  void Join(PeerId peer, const Joining& joining);
  void Leave(PeerId peer) { members_.erase(peer); }
  bool Has(PeerId peer) const { return members_.contains(peer); }

  // A message of `message_count` addresses, of which `heard` are those that this node can keep.
  Tally OnAddresses(PeerId peer, std::vector<HeardAddress> heard, size_t message_count);
  // The answer, valid until the next call; nullptr when there is none for this peer (any more).
  const std::vector<HeardAddress>* OnGetAddr(PeerId peer);

  // Calls send(peer, addresses) for everyone to whom something is due.
  template <typename Send>
  void SendDue(Send send) {
    for (auto& [peer, member] : members_) {
      const std::vector<HeardAddress> due = TakeDue(member);
      if (!due.empty()) send(peer, due);
    }
  }

 private:
  struct Member {
    Joining who;
    bool listens = false;  // it takes part in gossip: it was dialled, or has itself spoken of addresses
    bool was_answered = false;
    bool owes_answer = false;
    double allowance = 1;
    int64_t allowance_ns = 0;
    RecentHashes known{1000};
    std::vector<HeardAddress> waiting;
    int64_t send_ns = INT64_MIN;
    int64_t own_ns = INT64_MIN;
  };

  uint64_t HashOf(const NodeAddress& address) const;
  void Refill(Member& member, int64_t now_ns);
  void Relay(PeerId from, const HeardAddress& heard);
  void Queue(Member& member, const HeardAddress& heard);
  std::vector<HeardAddress> TakeDue(Member& member);

  AddressBook& book_;
  Clock& clock_;
  const HashKey key_;
  KeyedDraws draws_;
  AddressSamples samples_;
  std::vector<HeardAddress> fresh_;  // the last answer to one who is trusted
  std::vector<HeardAddress> own_;
  std::deque<NodeAddress> met_self_at_;
  std::map<PeerId, Member> members_;
};

}  // namespace headrace
