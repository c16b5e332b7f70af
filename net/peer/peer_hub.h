// The reactor's component: owns every connection, speaks the protocol's outer layer (handshake, keep-alive, limits), and
// stands between the peers' bytes and the engine's events and commands.
//
// Threads. One thread (the reactor) calls Start, Step and BeginShutdown; the PeerGateway half is for the engine thread;
// Status, totals, upload_target, listening and connection_count are for any. They meet in two bounded rings and a few atomics.
//
// What is guaranteed about order: events of a peer reach the engine in the order in which it sent their messages, and a
// `pong` leaves after the engine has handled everything the peer sent before the `ping`, and after what the engine
// submitted meanwhile. "Handled" means that the engine took the event and then asked for more; work that the engine hands
// on (validation in the pipeline) may still be under way.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/ports/clock.h"
#include "engine/ports/entropy.h"
#include "engine/ports/peer_gateway.h"
#include "net/discovery/discovery.h"
#include "net/peer/command_queue.h"
#include "net/peer/discouraged_hosts.h"
#include "net/peer/event_queue.h"
#include "net/peer/manual_peers.h"
#include "net/peer/misbehaviour.h"
#include "net/peer/peer.h"
#include "net/peer/peer_hub_options.h"
#include "net/peer/peer_table.h"
#include "net/peer/reactor_calls.h"
#include "net/peer/upload_target.h"
#include "net/transport/transport.h"

namespace headrace {

class PeerHub final : public PeerGateway, private TransportHandler {
 public:
  // Everything referred to outlives the hub. `engine` is rung when there are new events.
  PeerHub(PeerHubOptions options, Transport& transport, Clock& clock, Entropy& entropy, Doorbell& engine);

  // Opens the listening sockets and finds the addresses of the peers to connect to (names are asked for here, which may
  // block; numeric addresses never do). Before the first Step.
  absl::Status Start();

  // What the address book's file held, for a hub that has one. Before Start.
  void RestoreBook(const BookImage& image);

  // Executes commands, moves bytes, delivers events, looks at timers; waits up to `timeout_ns` when there is nothing to
  // do. Work per call is bounded.
  void Step(int64_t timeout_ns);

  // Takes no new connections and ends those there are, sending what is queued. Step on until connection_count is 0 or
  // patience ends, then AbortAll.
  void BeginShutdown();
  void AbortAll();

  // Engine thread.
  bool TakeEvents(std::vector<PeerEvent>& events, size_t events_max) override;
  void Submit(std::vector<PeerCommand>& commands) override;
  uint64_t QueuedBytes(PeerId peer) const override { return table_.QueuedBytes(peer); }
  bool MaySendHistory() const override { return upload_target_.MaySendHistory(); }
  uint64_t ReceivedBytes(PeerId peer) const override { return table_.ReceivedBytes(peer); }
  void SetBestHeight(int32_t height) override { best_height_.store(height, std::memory_order_relaxed); }

  // Any thread.
  std::vector<PeerStatusNet> Status() const { return table_.Snapshot(); }
  NetTotals totals() const { return table_.totals(); }
  UploadTarget::Facts upload_target() const { return upload_target_.facts(); }
  // The content of the address book's file, when there is news of it: now and then, and once more after BeginShutdown.
  std::optional<std::vector<uint8_t>> TakeBookImage();
  // Lets `look` see and change the address book, on the reactor's thread, and waits until it has; a hub without one has
  // nothing to show. False when the reactor does not turn any more. Not for the reactor's own thread.
  bool WithBook(const std::function<void(AddressBook&)>& look);

  // Constant after Start.
  const std::vector<Address>& listening() const { return listening_; }
  // Ends the wait of Step. Any thread.
  Doorbell& doorbell() { return transport_.doorbell(); }

  // Reactor thread.
  size_t connection_count() const { return peers_.size(); }

 private:
  // TransportHandler.
  void OnAccepted(ConnectionId connection, const Address& remote, const Address& listener) override;
  void OnConnected(ConnectionId connection) override;
  size_t OnReceived(ConnectionId connection, ByteSpan bytes) override;
  ReceiveTarget NextTarget(ConnectionId connection) override;
  void OnReceivedDirect(ConnectionId connection, size_t size) override;
  void OnSent(ConnectionId connection, size_t size) override;
  void OnEndOfStream(ConnectionId connection) override;
  void OnClosed(ConnectionId connection, CloseReason reason, int error) override;

  // Connections.
  Peer* Find(PeerId id);
  absl::StatusOr<std::vector<Destination>> FindDestinations(const HostPort& target) const;
  Peer& Dial(const Destination& to, PeerKind kind);
  bool MakeRoom();
  Peer& AddPeer(ConnectionId connection, const Destination& to, PeerKind kind, uint32_t permissions);
  uint32_t PermissionsOf(const Address& remote, bool is_inbound) const;
  // Never discouraged: chosen by the operator, or behind an address that many share, or that nobody knows.
  static bool IsExempt(const Peer& peer);
  void Disconnect(Peer& peer, std::string_view why);
  void Punish(Peer& peer, Misbehaviour misbehaviour, std::string_view detail = {});
  void Pause(Peer& peer, PauseReason reason);
  void Resume(Peer& peer, PauseReason reason);

  // Receiving.
  size_t OnProxySays(Peer& peer, ByteSpan bytes);
  bool MayRead(Peer& peer);
  void AfterFraming(Peer& peer);
  void CountGrowingBytes(Peer& peer);
  void PunishLargest();
  void Dispatch(Peer& peer, const Message& message);
  void DispatchEstablished(Peer& peer, const Message& message);
  void OnVersion(Peer& peer, ByteSpan body);
  void OnVerack(Peer& peer);
  void OnPing(Peer& peer, ByteSpan body);
  void OnPong(Peer& peer, ByteSpan body);
  void OnBlock(Peer& peer, const Message& message);
  void OnLocator(Peer& peer, const Message& message);
  void OnInventory(Peer& peer, const Message& message);
  void OnHeaders(Peer& peer, const Message& message);
  void OnCompactMessage(Peer& peer, const Message& message);
  void OnSendCompact(Peer& peer, ByteSpan body);
  void OnCompactBlock(Peer& peer, ByteSpan body);
  void OnGetBlockTransactions(Peer& peer, ByteSpan body);
  void OnBlockTransactions(Peer& peer, ByteSpan body);
  void MarkDelivered(Peer& peer, const Hash256& block);
  void PushEvent(Peer& peer, PeerEvent event);

  // Finding peers, where there is an address book.
  void StartDiscovery();
  void LookAtDiscovery();
  void DialNext();
  OutboundPlan::InUse CountInUse() const;
  size_t CountIntroducedOutbound() const;
  void OnIntroduced(Peer& peer);
  void OnGone(const Peer& peer);
  void OnAddresses(Peer& peer, const Message& message);
  void OnGetAddr(Peer& peer);
  void SendAddresses(Peer& peer, const std::vector<HeardAddress>& addresses);
  void LeaveBookImage();

  // Sending.
  void SendVersion(Peer& peer);
  void SendMessage(Peer& peer, const Command& command, ByteSpan body);
  void SendPing(Peer& peer, int64_t now_ns);
  void SendCompactOffer(Peer& peer, bool wants_announcements);
  void QueueBytes(Peer& peer, SharedBytes bytes, uint64_t bytes_not_counted_yet);
  void SendWaitingPongs();

  // Commands.
  void ExecuteCommands();
  void Execute(std::monostate) {}
  void Execute(const SendGetHeaders& command);
  void Execute(const SendGetBlocks& command);
  void Execute(const SendHeaders& command);
  void Execute(const SendInventory& command);
  void Execute(const SendNotFound& command);
  void Execute(const SendGetData& command);
  void Execute(const SendBlock& command);
  void Execute(const SendCompactWish& command);
  void Execute(const SendCompactBlock& command);
  void Execute(const SendGetBlockTransactions& command);
  void Execute(const SendBlockTransactions& command);
  void Execute(const headrace::Disconnect& command);
  Peer* FindEstablished(PeerId id);

  // Time.
  void LookAtTimers();
  void LookAtTimersOf(Peer& peer, int64_t now_ns);
  void ResumeReaders();

  const PeerHubOptions options_;
  Transport& transport_;
  Clock& clock_;
  Entropy& entropy_;
  EventQueue events_;
  CommandQueue commands_;
  PeerTable table_;
  ReactorCalls calls_;
  std::atomic<int32_t> best_height_{0};

  std::vector<Address> listening_;
  std::vector<PermittedListener> permitted_listeners_;  // those of them that give permissions
  UploadTarget upload_target_;
  // Ordered, because the order of peers decides in which order pings and goodbyes leave.
  std::map<ConnectionId, std::unique_ptr<Peer>> peers_;
  std::vector<PeerId> paused_by_events_;
  std::vector<PeerId> waiting_for_pong_;  // may hold a peer twice
  ManualPeers manual_peers_;
  std::unique_ptr<Discovery> discovery_;  // or none: see PeerHubOptions
  DiscouragedHosts discouraged_;
  HashKey group_key_;  // ranks groups of inbound peers
  size_t inbound_count_ = 0;
  uint64_t growing_bytes_ = 0;
  int64_t timers_due_ns_ = INT64_MIN;
  bool is_stopping_ = false;
  bool must_not_wait_ = false;
};

}  // namespace headrace
