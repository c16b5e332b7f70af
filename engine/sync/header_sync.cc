#include "engine/sync/header_sync.h"

#include <algorithm>
#include <string>
#include <utility>

#include "engine/base/limits.h"
#include "engine/base/log.h"
#include "engine/chain/header_acceptance.h"
#include "engine/chain/locator.h"
#include "engine/consensus/check_header.h"
#include "engine/primitives/targets.h"
#include "engine/sync/peer_fault.h"

namespace headrace {

namespace {

constexpr int64_t kLowWorkSaidEveryNs = int64_t{60} * 1'000'000'000;

}  // namespace

struct HeaderSync::Turn {
  SyncPeer& peer;
  int64_t now_ns;
  int64_t now_s;
  const ChainParams& params;
  std::vector<PeerCommand>& commands;
  absl::FunctionRef<void(HeaderId)> on_new;
  bool was_requested = false;  // a question was open
};

HeaderSync::HeaderSync(HeaderTree& tree, SyncPeers& peers, const HeaderSyncOptions& options)
    : tree_(tree), peers_(peers), options_(options) {}

Uint256 HeaderSync::WorkNeeded() const {
  const HeaderId tip = tree_.best_candidate();
  const Uint256 allowance = WorkFromBits(tree_.header(tip).bits) * Uint256(kWorkAllowanceBlocks);
  const Uint256 near_tip = tree_.work(tip) > allowance ? tree_.work(tip) - allowance : Uint256();
  return std::max(options_.minimum_chain_work, near_tip);
}

size_t HeaderSync::presync_memory_bytes() const {
  size_t bytes = 0;
  for (const auto& [id, presync] : presyncs_) bytes += presync->memory_bytes();
  return bytes;
}

void HeaderSync::Ask(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands) {
  // The locator starts one below our best header: a peer with the same tip then answers with that tip, and so shows
  // that it has it, instead of answering with nothing.
  HeaderId from = tree_.best_header();
  if (from != kGenesisId) from = tree_.parent(from);
  AskFrom(peer, from, now_ns, commands);
}

void HeaderSync::AskFrom(SyncPeer& peer, HeaderId from, int64_t now_ns, std::vector<PeerCommand>& commands) {
  if (peer.by_inventory) return;
  commands.push_back(SendGetHeaders{peer.info.id, BuildLocator(tree_, from), Hash256()});
  peer.headers_requested = true;
  peer.headers_requested_ns = now_ns;
}

bool HeaderSync::AskLower(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const HeaderId best = tree_.best_header();
  if (peer.best_known || peer.asked_lower == 2 || tree_.is_complete(best)) return false;
  const uint32_t have = tree_.height(tree_.LastCommonAncestor(best, tree_.best_candidate()));
  const auto said = static_cast<uint32_t>(std::max(peer.info.start_height, 0));
  const uint32_t height = peer.asked_lower == 0 ? std::clamp(said, have, tree_.height(best)) : have;
  ++peer.asked_lower;
  AskFrom(peer, tree_.Ancestor(best, height == 0 ? 0 : height - 1), now_ns, commands);
  return true;
}

void HeaderSync::AskNext(int64_t now_ns, std::vector<PeerCommand>& commands) {
  for (const auto& [id, peer] : peers_) {
    if (peer.headers_requested && now_ns - peer.headers_requested_ns < kSecondQuestionNs) return;
  }
  for (const bool is_inbound : {false, true}) {
    for (auto& [id, peer] : peers_) {
      if (peer.info.is_inbound != is_inbound || peer.headers_requested || peer.headers_exhausted || peer.by_inventory ||
          !peer.serves_blocks())
        continue;
      return Ask(peer, now_ns, commands);
    }
  }
}

void HeaderSync::OnConnected(PeerId, int64_t now_ns, std::vector<PeerCommand>& commands) { AskNext(now_ns, commands); }

void HeaderSync::OnDisconnected(PeerId peer, int64_t now_ns, std::vector<PeerCommand>& commands) {
  presyncs_.erase(peer);
  AskNext(now_ns, commands);
}

void HeaderSync::SayLowWork(const SyncPeer& peer, uint32_t height, int64_t now_ns) {
  if (last_low_work_log_ns_ != INT64_MIN && now_ns - last_low_work_log_ns_ < kLowWorkSaidEveryNs) return;
  last_low_work_log_ns_ = now_ns;
  HR_LOG(kWarning, kSync, "a chain of headers with less than the minimum work is not followed peer=", peer.info.id,
         " height=", height, " (see -minimumchainwork)");
}

bool HeaderSync::Accept(Turn& turn, std::span<const BlockHeader> headers) {
  SyncPeer& peer = turn.peer;
  for (const BlockHeader& header : headers) {
    const HeaderAcceptance accepted = AcceptHeader(tree_, header, turn.params, turn.now_s);
    if (!accepted.verdict.ok()) {
      if (accepted.verdict.rule == Rule::kParentUnknown) {
        // What stands on the one before says nothing new: it was on its way when what lies between was asked for.
        const bool goes_on = header.previous == peer.last_unconnecting;
        peer.last_unconnecting = headers.back().Hash();
        if (goes_on && turn.was_requested) {
          peer.headers_requested = true;
          return false;
        }
        // An announcement can outrun us: ask for what lies between, but not for ever.
        if (++peer.unconnecting_headers > kUnconnectingHeadersMax) {
          AnswerFault(peer.info.id, PeerFault::kUnconnectingHeaders, turn.commands);
        } else {
          Ask(peer, turn.now_ns, turn.commands);
        }
        return false;
      }
      const bool is_of_the_future = accepted.verdict.rule == Rule::kTimeTooNew;
      HR_LOG(kWarning, kSync, "header rejected peer=", peer.info.id, " hash=", header.Hash().ToHex(),
             " reason=", accepted.verdict.RejectReason());
      return SendAway(turn, is_of_the_future ? PeerFault::kHeaderOfTheFuture : PeerFault::kInvalidHeader,
                      accepted.verdict.RejectReason());
    }
    if (accepted.is_new) turn.on_new(accepted.id);
    if (!peer.best_known || tree_.work(accepted.id) >= tree_.work(*peer.best_known)) peer.best_known = accepted.id;
  }
  peer.unconnecting_headers = 0;
  return true;
}

bool HeaderSync::SendAway(Turn& turn, PeerFault fault, std::string_view detail) {
  AnswerFault(turn.peer.info.id, fault, turn.commands, detail);
  return false;
}

void HeaderSync::AskOn(Turn& turn, const HeaderPresync& presync) {
  turn.commands.push_back(SendGetHeaders{turn.peer.info.id, presync.Locator(), Hash256()});
  turn.peer.headers_requested = true;
  turn.peer.headers_requested_ns = turn.now_ns;
}

bool HeaderSync::BeginPresync(Turn& turn, std::span<const BlockHeader> headers, HeaderId fork) {
  if (presyncs_.size() >= kPresyncPeersMax) return true;
  auto presync = std::make_unique<HeaderPresync>(tree_, fork, WorkNeeded(), turn.now_s, turn.params, options_.salt);
  std::vector<BlockHeader> none;
  if (presync->Take(headers, true, none) == HeaderPresync::Outcome::kBroken) {
    return SendAway(turn, PeerFault::kUnprovenChainBroken, presync->failure());
  }
  AskOn(turn, *presync);
  presyncs_[turn.peer.info.id] = std::move(presync);
  return false;
}

bool HeaderSync::ContinuePresync(Turn& turn, HeaderPresync& presync, const HeadersReceived& message) {
  const PeerId id = turn.peer.info.id;
  const bool was_redownload = presync.is_redownload();
  const bool is_full = message.headers.size() == kMaxHeadersPerMessage;
  std::vector<BlockHeader> released;
  const HeaderPresync::Outcome outcome = presync.Take(message.headers, is_full, released);
  if (!Accept(turn, released)) {
    presyncs_.erase(id);
    return false;
  }
  switch (outcome) {
    case HeaderPresync::Outcome::kGoOn:
      AskOn(turn, presync);
      return false;
    case HeaderPresync::Outcome::kDone:
      presyncs_.erase(id);
      return true;
    case HeaderPresync::Outcome::kTooLittle:
      break;
    case HeaderPresync::Outcome::kBroken: {
      const std::string_view failure = presync.failure();
      HR_LOG(kInfo, kSync, "headers of an unproven chain rejected peer=", id, " height=", presync.height(),
             " reason=\"", std::string(failure), "\"");
      presyncs_.erase(id);
      // A chain may change between two looks at it; one that breaks a rule is another matter.
      return SendAway(turn, was_redownload ? PeerFault::kUnprovenChainChanged : PeerFault::kUnprovenChainBroken, failure);
    }
  }
  SayLowWork(turn.peer, presync.height(), turn.now_ns);
  presyncs_.erase(id);
  return true;
}

bool HeaderSync::ReceiveFirst(Turn& turn, const HeadersReceived& message) {
  const std::span<const BlockHeader> headers(message.headers);
  size_t known = 0;
  while (known < headers.size() && tree_.Find(headers[known].Hash()) != kNoHeader) ++known;
  const std::span<const BlockHeader> rest = headers.subspan(known);
  const HeaderId fork = rest.empty() ? kNoHeader : tree_.Find(rest.front().previous);
  // Nothing new, or nothing that a tree could grow by: the rules say what is wrong.
  if (fork == kNoHeader || tree_.is_invalid(fork)) return Accept(turn, headers);
  const Uint256 needed = WorkNeeded();
  Uint256 work = tree_.work(fork);
  Hash256 last = rest.front().previous;
  for (auto header = rest.begin(); header != rest.end() && work < needed; ++header) {
    if (header->previous != last) return SendAway(turn, PeerFault::kUnlinkedHeaders);
    last = header->Hash();
    // The work that bits claim counts where it was done.
    if (const Verdict verdict = CheckHeader(*header, last, turn.params); !verdict.ok()) {
      return SendAway(turn, PeerFault::kInvalidHeader, verdict.RejectReason());
    }
    work += WorkFromBits(header->bits);
  }
  if (work >= needed) return Accept(turn, headers);
  if (!Accept(turn, headers.first(known))) return false;
  if (headers.size() == kMaxHeadersPerMessage && turn.was_requested) return BeginPresync(turn, rest, fork);
  SayLowWork(turn.peer, tree_.height(fork) + static_cast<uint32_t>(rest.size()), turn.now_ns);
  return true;
}

void HeaderSync::OnHeaders(const HeadersReceived& message, int64_t now_ns, int64_t now_s, const ChainParams& params,
                           std::vector<PeerCommand>& commands, absl::FunctionRef<void(HeaderId)> on_new) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  SyncPeer& peer = found->second;
  Turn turn{peer, now_ns, now_s, params, commands, on_new};
  const auto presync = presyncs_.find(message.peer);
  if (presync != presyncs_.end() && !message.headers.empty() &&
      message.headers.front().previous != presync->second->last_hash()) {
    // No answer, but an announcement; it will be come to. Not for ever.
    const bool announcement_goes_on = message.headers.front().previous == peer.last_unconnecting;
    peer.last_unconnecting = message.headers.back().Hash();
    if (announcement_goes_on) return;
    if (++peer.unconnecting_headers > kUnconnectingHeadersMax) SendAway(turn, PeerFault::kUnconnectingHeaders);
    return;
  }
  turn.was_requested = std::exchange(peer.headers_requested, false);
  const std::optional<HeaderId> known_before = peer.best_known;
  const bool goes_on = presync != presyncs_.end() ? ContinuePresync(turn, *presync->second, message)
                                                  : ReceiveFirst(turn, message);
  if (!goes_on) return;

  // A full message that leads nowhere new would be followed by itself for ever.
  const bool has_advanced =
      peer.best_known && (!known_before || tree_.work(*peer.best_known) > tree_.work(*known_before));
  if (message.headers.size() == kMaxHeadersPerMessage && has_advanced) {
    return AskFrom(peer, *peer.best_known, now_ns, commands);
  }
  if (message.headers.empty() && AskLower(peer, now_ns, commands)) return;
  peer.headers_exhausted = true;
  AskNext(now_ns, commands);
}

void HeaderSync::OnInventory(const InventoryReceived& message, int64_t now_ns, std::vector<PeerCommand>& commands) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  SyncPeer& peer = found->second;
  bool unknown = false;
  for (const InventoryItem& item : message.items) {
    if ((item.type & ~kInvWitnessFlag) != kInvBlock) continue;
    const HeaderId id = tree_.Find(item.hash);
    if (id == kNoHeader) {
      unknown = true;
    } else if (!peer.best_known || tree_.work(id) > tree_.work(*peer.best_known)) {
      peer.best_known = id;
    }
  }
  if (unknown && !peer.headers_requested) Ask(peer, now_ns, commands);
}

void HeaderSync::Tick(int64_t now_ns, std::vector<PeerCommand>& commands) {
  for (auto& [id, peer] : peers_) {
    if (!peer.headers_requested || now_ns - peer.headers_requested_ns < kHeadersTimeoutNs) continue;
    peer.headers_requested = false;
    peer.headers_exhausted = true;
    if (peer.info.kind == PeerKind::kManual) {
      HR_LOG(kInfo, kSync, "no answer to getheaders: the peer is asked by inventory peer=", id);
      peer.by_inventory = true;
      presyncs_.erase(id);
    } else {
      AnswerFault(id, PeerFault::kHeadersTimeout, commands);
    }
  }
  AskNext(now_ns, commands);
}

}  // namespace headrace
