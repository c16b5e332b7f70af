// What a peer can do wrong with headers and blocks, and what follows: one table, one row per fault. What it can do
// wrong with bytes, handshakes and limits stands in net/peer/misbehaviour.h. (protocol.md §7)
//
// Pure; any thread. A fault is rare: the command's words are made then.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/ports/consequence.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

enum class PeerFault : uint8_t {
  kInvalidHeader,
  kHeaderOfTheFuture,
  kUnlinkedHeaders,
  kUnprovenChainBroken,
  kUnprovenChainChanged,
  kUnconnectingHeaders,
  kUnconnectingBlocks,
  kHeadersTimeout,
  kDownloadStalled,
  kBlocksLacking,
  kBlockTimeout,
  kInvalidBlock,
  kUnaskedBlock,
  kHistoryBeyondTarget,
  kOtherTransactions,
  kTransactionBeyondBlock,
  kCount,
};

struct PeerFaultRow {
  PeerFault fault;
  Consequence consequence;
  std::string_view sentence;  // as the log has it, and before the detail
};

const PeerFaultRow& RowOf(PeerFault fault);

// Appends what the table asks for: nothing, for what is ignored. `detail` follows the sentence: a reject reason.
void AnswerFault(PeerId peer, PeerFault fault, std::vector<PeerCommand>& commands, std::string_view detail = {});

}  // namespace headrace
