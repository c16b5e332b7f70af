// The network as the engine sees it: events come in from peers, commands go out to them. Bytes, sockets and handshakes
// stay on the other side.
//
// Threads: the engine thread calls; the network's thread is behind it, with bounded rings between.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/slab.h"
#include "engine/ports/peer_permissions.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/compact_block.h"

namespace headrace {

// Unique over the life of the process; 0 is nobody.
using PeerId = uint64_t;

// Bits of a peer's services (version message).
enum ServiceFlags : uint64_t {
  kNodeNetwork = 1 << 0,
  kNodeBloom = 1 << 2,
  kNodeWitness = 1 << 3,
  kNodeCompactFilters = 1 << 6,
  kNodeNetworkLimited = 1 << 10,
};

// Inventory types (BIP144 adds the witness flag).
enum InventoryType : uint32_t {
  kInvTransaction = 1,
  kInvBlock = 2,
  kInvFilteredBlock = 3,
  kInvCompactBlock = 4,
  kInvWtx = 5,
  kInvWitnessFlag = 1u << 30,
  kInvWitnessBlock = kInvBlock | kInvWitnessFlag,
  kInvWitnessTransaction = kInvTransaction | kInvWitnessFlag,
};

struct InventoryItem {
  uint32_t type = 0;
  Hash256 hash;
  bool operator==(const InventoryItem&) const = default;
};

// How a connection came to be, and what it is for.
enum class PeerKind : uint8_t {
  kInbound,
  kManual,        // the operator named it
  kFullRelay,     // chosen from the address book
  kBlockRelay,    // the same, and never told of addresses or transactions: who watches gossip does not find it
  kFeeler,        // only to see whether somebody is there; the engine does not hear of it
  kAddressFetch,  // asked for addresses and left again; the engine does not hear of it
};

// As the field's tools write it: `outbound-full-relay`.
constexpr std::string_view PeerKindName(PeerKind kind) {
  switch (kind) {
    case PeerKind::kInbound: return "inbound";
    case PeerKind::kManual: return "manual";
    case PeerKind::kFullRelay: return "outbound-full-relay";
    case PeerKind::kBlockRelay: return "block-relay-only";
    case PeerKind::kFeeler: return "feeler";
    case PeerKind::kAddressFetch: return "addr-fetch";
  }
  return "";
}

struct PeerInfo {
  PeerId id = 0;
  bool is_inbound = false;
  PeerKind kind = PeerKind::kInbound;
  std::string address;  // host:port
  uint32_t permissions = 0;  // PeerPermission bits
  uint64_t services = 0;
  int32_t protocol_version = 0;
  std::string user_agent;
  int32_t start_height = 0;
};

// What a peer did. `PeerConnected` comes after a complete handshake, `PeerDisconnected` last.
struct PeerConnected { PeerInfo info; };
struct PeerDisconnected { PeerId peer; };
struct HeadersReceived { PeerId peer; std::vector<BlockHeader> headers; };
struct BlockReceived { PeerId peer; Hash256 hash; SlabRef block; };
struct InventoryReceived { PeerId peer; std::vector<InventoryItem> items; };
struct NotFoundReceived { PeerId peer; std::vector<InventoryItem> items; };
struct GetHeadersReceived { PeerId peer; std::vector<Hash256> locator; Hash256 stop; };
struct GetBlocksReceived { PeerId peer; std::vector<Hash256> locator; Hash256 stop; };
struct GetDataReceived { PeerId peer; std::vector<InventoryItem> items; };
// It wants new blocks announced by their headers. (BIP130)
struct SendHeadersReceived { PeerId peer; };
// It speaks of compact blocks, version 2, and wants new blocks announced by them, or not. (BIP152)
struct SendCompactReceived { PeerId peer; bool wants_announcements; };
struct CompactBlockReceived { PeerId peer; std::shared_ptr<const CompactBlock> block; };
struct GetBlockTransactionsReceived { PeerId peer; BlockTransactionsRequest request; };
struct BlockTransactionsReceived { PeerId peer; std::shared_ptr<const BlockTransactions> answer; };
using PeerEvent = std::variant<std::monostate, PeerConnected, PeerDisconnected, HeadersReceived, BlockReceived, InventoryReceived,
                               NotFoundReceived, GetHeadersReceived, GetBlocksReceived, GetDataReceived, SendHeadersReceived,
                               SendCompactReceived, CompactBlockReceived, GetBlockTransactionsReceived, BlockTransactionsReceived>;

// What the engine wants done. Commands to a peer that is gone are dropped.
struct SendGetHeaders { PeerId peer; std::vector<Hash256> locator; Hash256 stop; };
struct SendGetBlocks { PeerId peer; std::vector<Hash256> locator; Hash256 stop; };
struct SendHeaders { PeerId peer; std::vector<BlockHeader> headers; };
struct SendInventory { PeerId peer; std::vector<InventoryItem> items; };
struct SendNotFound { PeerId peer; std::vector<InventoryItem> items; };
// Asks for blocks, and tells the transport to expect them: each answer gets an exact slab.
struct SendGetData { PeerId peer; std::vector<InventoryItem> items; };
struct SendBlock { PeerId peer; SharedBytes block; };
// Asks to be told of new blocks by compact blocks from now on, or not any more. That this node speaks of them every peer is told in
// the handshake.
struct SendCompactWish { PeerId peer; bool wants_announcements; };
struct SendCompactBlock { PeerId peer; std::shared_ptr<const CompactBlock> block; };
struct SendGetBlockTransactions { PeerId peer; BlockTransactionsRequest request; };
struct SendBlockTransactions { PeerId peer; BlockTransactions answer; };
struct Disconnect {
  PeerId peer;
  std::string reason;
  bool discourage = false;  // the peer broke a rule: its address is not to be trusted soon
};
using PeerCommand = std::variant<std::monostate, SendGetHeaders, SendGetBlocks, SendHeaders, SendInventory, SendNotFound, SendGetData,
                                 SendBlock, SendCompactWish, SendCompactBlock, SendGetBlockTransactions, SendBlockTransactions, Disconnect>;

class PeerGateway {
 public:
  virtual ~PeerGateway() = default;
  // Moves up to `events_max` events to the end of `events`; true when there were any.
  virtual bool TakeEvents(std::vector<PeerEvent>& events, size_t events_max) = 0;
  // Queues commands in order.
  virtual void Submit(std::vector<PeerCommand>& commands) = 0;
  // Bytes queued and not yet sent to a peer, commands not yet executed included as well as is known; for backpressure
  // when serving blocks.
  virtual uint64_t QueuedBytes(PeerId peer) const = 0;
  // Whether old blocks may be sent although they are most of what a node sends: -maxuploadtarget is far enough away.
  virtual bool MaySendHistory() const { return true; }
  // Bytes that a peer has sent since it connected, parts of messages included: a large block on a slow line is progress
  // long before it is there.
  virtual uint64_t ReceivedBytes(PeerId peer) const = 0;
  // The height that new handshakes announce.
  virtual void SetBestHeight(int32_t height) = 0;
};

}  // namespace headrace
