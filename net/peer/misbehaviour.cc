#include "net/peer/misbehaviour.h"

#include <array>

namespace headrace {
namespace {

using enum Misbehaviour;
using enum Consequence;

constexpr std::array kRows = {
    // Another network's node, or no node at all: common, and no attack by itself.
    MisbehaviourRow{kWrongMagic, kDisconnect, "sent a message of another network"},
    MisbehaviourRow{kBadCommand, kDisconnect, "sent a message whose name is malformed"},
    MisbehaviourRow{kOversizedMessage, kDiscourage, "announced a message larger than 4,000,000 bytes"},
    // TCP has its own checksum: what still arrives broken comes from a broken peer, and asking again would not help.
    MisbehaviourRow{kBadChecksum, kDisconnect, "sent a message with a wrong checksum"},
    MisbehaviourRow{kMalformedMessage, kDiscourage, "sent a malformed message"},
    // BIP152: counts beyond what a block can hold, indexes beyond its end, transactions that are none.
    MisbehaviourRow{kMalformedCompactBlock, kDiscourage, "sent a malformed message about a compact block"},
    // The field tolerates eager peers: what comes too early is dropped, and the handshake's deadline bounds it.
    MisbehaviourRow{kMessageBeforeVersion, kIgnore, "sent a message before its version"},
    MisbehaviourRow{kMessageBeforeVerack, kIgnore, "sent a message before its verack"},
    MisbehaviourRow{kDuplicateVersion, kIgnore, "sent a second version"},
    MisbehaviourRow{kDuplicateVerack, kIgnore, "sent a second verack"},
    // BIP155 and BIP339: sendaddrv2 and wtxidrelay MUST be sent before verack.
    MisbehaviourRow{kLateNegotiation, kDisconnect, "negotiated a feature after its verack"},
    MisbehaviourRow{kObsoleteVersion, kDisconnect, "speaks a protocol older than 31800"},
    MisbehaviourRow{kSelfConnection, kDisconnect, "is this node itself"},
    MisbehaviourRow{kUnexpectedPong, kIgnore, "answered a ping that was not sent"},
    MisbehaviourRow{kHandshakeTimeout, kDisconnect, "did not complete the handshake in time"},
    MisbehaviourRow{kPongTimeout, kDisconnect, "did not answer a ping in time"},
    MisbehaviourRow{kSilence, kDisconnect, "said nothing for too long"},
    MisbehaviourRow{kSendQueueOverflow, kDisconnect, "asks for more than it reads"},
    MisbehaviourRow{kMemoryExhausted, kDisconnect, "holds the most of the memory for unasked messages, which is used up"},
    MisbehaviourRow{kInboundSlotsFull, kDisconnect, "came when all inbound slots were taken"},
    MisbehaviourRow{kDiscouragedAddress, kDisconnect, "comes from a discouraged address"},
    // BIP155, and the field's MAX_ADDR_TO_SEND for both messages.
    MisbehaviourRow{kOversizedAddresses, kDiscourage, "sent more than 1000 addresses at once, or one longer than 512 bytes"},
    // Gossip bursts when the network changes: what is beyond the rate is dropped, and nothing is held against the peer.
    MisbehaviourRow{kAddressFlood, kIgnore, "sends addresses faster than they are taken"},
    MisbehaviourRow{kAddressesUnwanted, kIgnore, "speaks of addresses on a connection that is for blocks alone"},
    MisbehaviourRow{kAddressesAskedAgain, kIgnore, "asked for addresses more than once, or over a connection that it did not make"},
    MisbehaviourRow{kServicesMissing, kDisconnect, "was chosen by this node and does not offer all blocks with their witnesses"},
    // No offence: others come, and slots are few.
    MisbehaviourRow{kEvicted, kDisconnect, "makes room for another inbound peer"},
};

constexpr bool EveryRowIsInItsPlace() {
  for (size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].misbehaviour != static_cast<Misbehaviour>(i)) return false;
  }
  return kRows.size() == static_cast<size_t>(Misbehaviour::kCount);
}
static_assert(EveryRowIsInItsPlace());

}  // namespace

const MisbehaviourRow& RowOf(Misbehaviour misbehaviour) { return kRows[static_cast<size_t>(misbehaviour)]; }

}  // namespace headrace
