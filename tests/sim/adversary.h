// A peer that lies. It speaks the protocol's bytes through the real codecs over the same wires as everybody, with one
// bad habit at a time; when it is thrown out, or has had enough, it comes back from another address with another habit.
//
// One thread; the world turns it.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/wire/framer.h"
#include "tests/sim/chain_model.h"
#include "tests/sim/sim_transport.h"

namespace headrace::sim {

class World;

enum class Habit : uint8_t {
  kHelps,            // an honest peer with a tiny implementation: keeps the others honest in what they accept
  kMutates,          // altered bytes under good hashes
  kInvents,          // a longer branch with an invalid block somewhere in it
  kWithholds,        // a longer valid branch, but for some of its blocks
  kStalls,           // shows headers and never answers for blocks
  kHasNothing,       // shows headers and says notfound
  kShowsLowWork,     // long branches of headers that lead nowhere
  kDoesNotConnect,   // headers whose parents nobody knows
  kShowsBadHeaders,  // headers that break a rule
  kAnnouncesHuge,    // the largest message there is, which never comes
  kFloods,           // questions and announcements without end, and reads nothing
  kGarbles,          // random bytes, other networks' magic, wrong checksums
  kDrips,            // honest, one byte at a time
  kIsSilent,         // connects and says nothing
  kLiesCompactly,    // compact blocks, and answers about their transactions, with one thing wrong
  kCount,
};

class Adversary final : private TransportHandler {
 public:
  Adversary(World& world, int number, SimEntropy entropy);
  ~Adversary() override;

  Wakeup& wakeup() { return wakeup_; }
  void Turn();
  // Closes everything and does not come back.
  void Leave();

 private:
  struct Peer {
    Peer(const NetworkMagic& magic) : framer(magic, [](const Command&, uint32_t) { return nullptr; }) {}
    Framer framer;
    bool is_open = false;
    bool is_version_sent = false;
    bool is_greeted = false;
  };

  // TransportHandler.
  void OnAccepted(ConnectionId connection, const Address& remote, const Address& listener) override;
  void OnConnected(ConnectionId connection) override;
  size_t OnReceived(ConnectionId connection, ByteSpan bytes) override;
  ReceiveTarget NextTarget(ConnectionId) override { return {}; }
  void OnReceivedDirect(ConnectionId, size_t) override {}
  void OnSent(ConnectionId, size_t) override {}
  void OnEndOfStream(ConnectionId connection) override { transport_->Close(connection, CloseMode::kAbort); }
  void OnClosed(ConnectionId connection, CloseReason reason, int error) override;

  // Beginning anew.
  void Become();
  void ChooseBranch();
  void SetBranch(const ModelBlock& tip);

  // Messages (adversary_messages.cc).
  void Send(ConnectionId connection, const Command& command, ByteSpan body);
  void Greet(ConnectionId connection);
  void Answer(ConnectionId connection, const Message& message);
  void AnswerGetHeaders(ConnectionId connection, const Message& message);
  void AnswerGetData(ConnectionId connection, const Message& message);
  void SendBlock(ConnectionId connection, SlabRef block);
  void Announce(ConnectionId connection);

  // Compact blocks (adversary_compact.cc).
  void FollowPublic();
  void ShowCompact(ConnectionId connection);
  void AskAboutTransactions(ConnectionId connection);
  void AnswerGetBlockTransactions(ConnectionId connection, const Message& message);

  // Doing harm (adversary_habits.cc).
  void Act(ConnectionId connection);
  void ShowLowWork(ConnectionId connection);
  void ShowUnconnected(ConnectionId connection);
  void ShowBadHeader(ConnectionId connection);
  void AnnounceHuge(ConnectionId connection);
  void Flood(ConnectionId connection);
  void Garble(ConnectionId connection);

  World& world_;
  const int number_;
  SimEntropy entropy_;
  Wakeup wakeup_;
  int generation_ = 0;
  bool is_leaving_ = false;
  Habit habit_ = Habit::kHelps;
  std::unique_ptr<SimTransport> transport_;
  std::map<ConnectionId, Peer> peers_;
  // The branch that it shows, genesis left out.
  std::vector<const ModelBlock*> branch_;
  std::set<Hash256> withheld_;
  // Its branch is always the next block alone, which it tells of by compact blocks and no other way: what is announced by
  // its header is asked for whole.
  bool is_compact_alone_ = false;
  int64_t act_ns_ = 0;
  int64_t become_ns_ = 0;
};

}  // namespace headrace::sim
