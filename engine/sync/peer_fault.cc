#include "engine/sync/peer_fault.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "engine/base/log.h"

namespace headrace {
namespace {

using enum PeerFault;

constexpr std::array kFaultRows = {
    PeerFaultRow{kInvalidHeader, Consequence::kDiscourage, "invalid header"},
    // It may become valid: the peer's clock, or ours, is wrong, which is no offence.
    PeerFaultRow{kHeaderOfTheFuture, Consequence::kDisconnect, "invalid header"},
    PeerFaultRow{kUnlinkedHeaders, Consequence::kDiscourage, "headers that do not follow one another"},
    PeerFaultRow{kUnprovenChainBroken, Consequence::kDiscourage, "a chain of headers without enough work breaks a rule"},
    // It may have followed a reorganisation meanwhile.
    PeerFaultRow{kUnprovenChainChanged, Consequence::kDisconnect, "a chain of headers is not the same at a second look"},
    PeerFaultRow{kUnconnectingHeaders, Consequence::kDiscourage, "too many unconnecting headers"},
    PeerFaultRow{kUnconnectingBlocks, Consequence::kDiscourage, "too many unconnecting blocks"},
    // Slow links and busy peers are no offence either: another is asked, and this one may come again.
    PeerFaultRow{kHeadersTimeout, Consequence::kDisconnect, "no answer to getheaders"},
    PeerFaultRow{kDownloadStalled, Consequence::kDisconnect, "stalls the block download"},
    PeerFaultRow{kBlocksLacking, Consequence::kDisconnect, "does not have the blocks of the headers that it showed"},
    PeerFaultRow{kBlockTimeout, Consequence::kDisconnect, "no block within the timeout"},
    PeerFaultRow{kInvalidBlock, Consequence::kDiscourage, "sent a bad block"},
    // It may have been asked for and come too late, from here or after another peer's copy.
    PeerFaultRow{kUnaskedBlock, Consequence::kIgnore, "sent a block that it was not asked for, or not any more"},
    // No offence: as the field does, so that it asks somebody else instead of waiting.
    PeerFaultRow{kHistoryBeyondTarget, Consequence::kDisconnect, "asks for an old block while -maxuploadtarget is near"},
    // BIP152: getblocktxn and blocktxn that do not fit their block.
    PeerFaultRow{kOtherTransactions, Consequence::kDiscourage, "sent other transactions than its compact block names"},
    PeerFaultRow{kTransactionBeyondBlock, Consequence::kDiscourage, "asked for a transaction beyond the end of a block"},
};

constexpr bool EveryFaultIsInItsPlace() {
  for (size_t i = 0; i < kFaultRows.size(); ++i) {
    if (kFaultRows[i].fault != static_cast<PeerFault>(i)) return false;
  }
  return kFaultRows.size() == static_cast<size_t>(PeerFault::kCount);
}
static_assert(EveryFaultIsInItsPlace());

}  // namespace

const PeerFaultRow& RowOf(PeerFault fault) { return kFaultRows[static_cast<size_t>(fault)]; }

void AnswerFault(PeerId peer, PeerFault fault, std::vector<PeerCommand>& commands, std::string_view detail) {
  const PeerFaultRow& row = RowOf(fault);
  std::string why = absl::StrCat(std::string(row.sentence), detail.empty() ? "" : ": ", std::string(detail));
  if (row.consequence == Consequence::kIgnore) {
    HR_LOG(kDebug, kSync, "peer ignored id=", peer, " because=\"it ", why, "\"");
    return;
  }
  commands.push_back(Disconnect{peer, std::move(why), row.consequence == Consequence::kDiscourage});
}

}  // namespace headrace
