// The messages of compact blocks (BIP152) in PeerHub: from bytes to events.
#include <memory>
#include <utility>

#include "net/peer/peer_hub.h"
#include "net/wire/commands.h"
#include "net/wire/compact_messages.h"
#include "net/wire/small_messages.h"

namespace headrace {

void PeerHub::OnCompactMessage(Peer& peer, const Message& message) {
  const Command& command = message.command;
  if (command == commands::kSendCompact) {
    OnSendCompact(peer, message.body);
  } else if (command == commands::kCompactBlock) {
    OnCompactBlock(peer, message.body);
  } else if (command == commands::kGetBlockTransactions) {
    OnGetBlockTransactions(peer, message.body);
  } else if (command == commands::kBlockTransactions) {
    OnBlockTransactions(peer, message.body);
  }
  // Everything else is either about what this node does not offer (fee filters, the mempool) or unknown, and the protocol
  // asks for both to be ignored.
}

void PeerHub::OnSendCompact(Peer& peer, ByteSpan body) {
  SendCompactMessage offer;
  if (const DecodeError error = DecodeSendCompact(body, offer); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  // BIP152: versions that a node does not know are ignored, for the next offer may be one that it knows.
  if (offer.version == kCompactVersion) PushEvent(peer, SendCompactReceived{peer.info.id, offer.wants_announcements});
}

void PeerHub::OnCompactBlock(Peer& peer, ByteSpan body) {
  auto block = std::make_shared<CompactBlock>();
  if (const DecodeError error = DecodeCompactBlock(body, *block); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedCompactBlock, DecodeErrorText(error));
  }
  MarkDelivered(peer, block->header.Hash());
  PushEvent(peer, CompactBlockReceived{peer.info.id, std::move(block)});
}

void PeerHub::OnGetBlockTransactions(Peer& peer, ByteSpan body) {
  BlockTransactionsRequest request;
  if (const DecodeError error = DecodeBlockTransactionsRequest(body, request); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedCompactBlock, DecodeErrorText(error));
  }
  PushEvent(peer, GetBlockTransactionsReceived{peer.info.id, std::move(request)});
}

void PeerHub::OnBlockTransactions(Peer& peer, ByteSpan body) {
  auto answer = std::make_shared<BlockTransactions>();
  if (const DecodeError error = DecodeBlockTransactions(body, *answer); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedCompactBlock, DecodeErrorText(error));
  }
  MarkDelivered(peer, answer->block);
  PushEvent(peer, BlockTransactionsReceived{peer.info.id, std::move(answer)});
}

// Who delivers what it was asked for is worth a slot (inbound_eviction.h).
void PeerHub::MarkDelivered(Peer& peer, const Hash256& block) {
  if (peer.expected_blocks.erase(block) != 0) peer.last_block_ns = clock_.MonotonicNs();
}

}  // namespace headrace
