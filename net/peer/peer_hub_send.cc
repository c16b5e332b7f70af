// The sending half of PeerHub: from commands to bytes.
#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "net/peer/peer_hub.h"
#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/compact_messages.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/small_messages.h"
#include "net/wire/version_message.h"

namespace headrace {
namespace {

// Commands executed in one go: the peers get their turn between.
constexpr size_t kCommandsPerStepMax = 4096;
constexpr int32_t kPongVersion = 60000;

// Beside the block itself, a compact one may be answered by the whole block.
bool IsBlock(uint32_t type) { return type == kInvBlock || type == kInvWitnessBlock || type == kInvCompactBlock; }

}  // namespace

void PeerHub::SendVersion(Peer& peer) {
  VersionMessage version;
  version.protocol_version = kProtocolVersion;
  version.services = options_.services;
  version.time_s = clock_.UnixSeconds();
  version.receiver = {0, peer.address.ip, peer.address.port};
  // The sender's address has meant nothing for long; the field sends its services and zeros.
  version.sender = {options_.services, {}, 0};
  version.nonce = peer.nonce;
  version.user_agent = options_.user_agent;
  version.start_height = best_height_.load(std::memory_order_relaxed);
  version.relay_transactions = options_.relay_transactions;
  std::vector<uint8_t> body;
  EncodeVersion(version, body);
  peer.is_version_sent = true;
  SendMessage(peer, commands::kVersion, body);
}

void PeerHub::SendMessage(Peer& peer, const Command& command, ByteSpan body) {
  peer.counters->messages_sent.fetch_add(1, std::memory_order_relaxed);
  SharedBytes bytes = EncodeMessage(options_.magic, command, body);
  const uint64_t size = bytes.bytes.size();
  QueueBytes(peer, std::move(bytes), size);
}

void PeerHub::QueueBytes(Peer& peer, SharedBytes bytes, uint64_t bytes_not_counted_yet) {
  if (peer.is_closing) return;
  peer.counters->queued_bytes.fetch_add(bytes_not_counted_yet, std::memory_order_relaxed);
  transport_.Send(peer.info.id, std::move(bytes));
  const uint64_t queued = transport_.QueuedBytes(peer.info.id);
  if (queued > 2 * options_.send_queue_bytes_max) {
    Punish(peer, Misbehaviour::kSendQueueOverflow);
  } else if (queued > options_.send_queue_bytes_max) {
    Pause(peer, kPausedBySends);
  }
}

void PeerHub::OnSent(ConnectionId connection, size_t size) {
  Peer* peer = Find(connection);
  if (peer == nullptr) return;
  table_.CountSent(*peer->counters, size);
  upload_target_.Count(size);
  if ((peer->pause_reasons & kPausedBySends) != 0 &&
      transport_.QueuedBytes(connection) <= options_.send_queue_bytes_max / 2) {
    Resume(*peer, kPausedBySends);
  }
}

void PeerHub::SendPing(Peer& peer, int64_t now_ns) {
  peer.ping_due_ns = now_ns + options_.ping_interval_ms * 1'000'000;
  std::vector<uint8_t> body;
  // BIP31: older peers know a ping without a nonce, which is not answered.
  if (peer.info.protocol_version > kPongVersion) {
    peer.ping_nonce = entropy_.Next64() | 1;
    peer.ping_sent_ns = now_ns;
    EncodeNonce(peer.ping_nonce, body);
  }
  SendMessage(peer, commands::kPing, body);
}

// BIP152: version 2, the only one there is since witnesses; `wants_announcements` is its high-bandwidth mode.
void PeerHub::SendCompactOffer(Peer& peer, bool wants_announcements) {
  std::vector<uint8_t> body;
  EncodeSendCompact({wants_announcements, kCompactVersion}, body);
  SendMessage(peer, commands::kSendCompact, body);
}

void PeerHub::SendWaitingPongs() {
  if (waiting_for_pong_.empty()) return;
  const uint64_t handled = events_.handled();
  // What the engine submitted while it handled those events goes first.
  ExecuteCommands();
  std::vector<PeerId> still_waiting;
  for (const PeerId id : waiting_for_pong_) {
    Peer* peer = Find(id);
    if (peer == nullptr || peer->is_closing) continue;
    while (!peer->pongs.empty() && peer->pongs.front().after_event <= handled) {
      std::vector<uint8_t> body;
      EncodeNonce(peer->pongs.front().nonce, body);
      peer->pongs.pop_front();
      SendMessage(*peer, commands::kPong, body);
    }
    if (peer->pongs.empty()) {
      Resume(*peer, kPausedByPongs);
    } else {
      still_waiting.push_back(id);
    }
  }
  waiting_for_pong_.swap(still_waiting);
}

Peer* PeerHub::FindEstablished(PeerId id) {
  Peer* peer = Find(id);
  return peer == nullptr || peer->is_closing || !peer->is_handshake_complete ? nullptr : peer;
}

void PeerHub::ExecuteCommands() {
  for (size_t i = 0; i < kCommandsPerStepMax; ++i) {
    std::optional<PeerCommand> command = commands_.Pop();
    if (!command) break;
    std::visit([this](const auto& what) { Execute(what); }, *command);
  }
  commands_.RingForOverhang();
}

void PeerHub::Execute(const SendGetHeaders& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeLocator({static_cast<uint32_t>(kProtocolVersion), command.locator, command.stop}, body);
  SendMessage(*peer, commands::kGetHeaders, body);
}

void PeerHub::Execute(const SendGetBlocks& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeLocator({static_cast<uint32_t>(kProtocolVersion), command.locator, command.stop}, body);
  SendMessage(*peer, commands::kGetBlocks, body);
}

void PeerHub::Execute(const SendHeaders& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeHeaders(command.headers, body);
  SendMessage(*peer, commands::kHeaders, body);
}

void PeerHub::Execute(const SendInventory& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeInventory(command.items, body);
  SendMessage(*peer, commands::kInv, body);
}

void PeerHub::Execute(const SendNotFound& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeInventory(command.items, body);
  SendMessage(*peer, commands::kNotFound, body);
}

void PeerHub::Execute(const SendGetData& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  for (const InventoryItem& item : command.items) {
    if (IsBlock(item.type)) peer->expected_blocks.insert(item.hash);
  }
  std::vector<uint8_t> body;
  EncodeInventory(command.items, body);
  SendMessage(*peer, commands::kGetData, body);
}

void PeerHub::Execute(const SendBlock& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  peer->counters->messages_sent.fetch_add(1, std::memory_order_relaxed);
  SharedBytes header = EncodeMessageHeader(options_.magic, commands::kBlock, command.block.bytes);
  const uint64_t header_bytes = header.bytes.size();
  QueueBytes(*peer, std::move(header), header_bytes);
  // The block itself was counted when the command was submitted.
  QueueBytes(*peer, command.block, 0);
}

void PeerHub::Execute(const SendCompactWish& command) {
  if (Peer* peer = FindEstablished(command.peer)) SendCompactOffer(*peer, command.wants_announcements);
}

void PeerHub::Execute(const SendCompactBlock& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeCompactBlock(*command.block, body);
  SendMessage(*peer, commands::kCompactBlock, body);
}

void PeerHub::Execute(const SendGetBlockTransactions& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  // It may answer with the whole block.
  peer->expected_blocks.insert(command.request.block);
  std::vector<uint8_t> body;
  EncodeBlockTransactionsRequest(command.request, body);
  SendMessage(*peer, commands::kGetBlockTransactions, body);
}

void PeerHub::Execute(const SendBlockTransactions& command) {
  Peer* peer = FindEstablished(command.peer);
  if (peer == nullptr) return;
  std::vector<uint8_t> body;
  EncodeBlockTransactions(command.answer, body);
  peer->counters->messages_sent.fetch_add(1, std::memory_order_relaxed);
  SharedBytes message = EncodeMessage(options_.magic, commands::kBlockTransactions, body);
  // The transactions themselves were counted when the command was submitted.
  const uint64_t not_counted = message.bytes.size() - TransactionBytes(command.answer);
  QueueBytes(*peer, std::move(message), not_counted);
}

void PeerHub::Execute(const headrace::Disconnect& command) {
  Peer* peer = Find(command.peer);
  if (peer == nullptr) return;
  if (command.discourage && !IsExempt(*peer)) discouraged_.Add(peer->address);
  Disconnect(*peer, command.reason);
}

}  // namespace headrace
