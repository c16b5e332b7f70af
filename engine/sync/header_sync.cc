#include "engine/sync/header_sync.h"

#include <algorithm>

#include "engine/base/limits.h"
#include "engine/base/log.h"
#include "engine/chain/header_acceptance.h"
#include "engine/chain/locator.h"
#include "engine/sync/peer_fault.h"

namespace headrace {

HeaderSync::HeaderSync(HeaderTree& tree, SyncPeers& peers) : tree_(tree), peers_(peers) {}

void HeaderSync::Ask(SyncPeer& peer, int64_t now_ns, std::vector<PeerCommand>& commands) {
  // The locator starts one below our best header: a peer with the same tip then answers with that tip, and so shows that
  // it has it, instead of answering with nothing.
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
      if (peer.info.is_inbound != is_inbound || peer.headers_requested || peer.headers_exhausted || peer.by_inventory || !peer.serves_blocks()) continue;
      return Ask(peer, now_ns, commands);
    }
  }
}

void HeaderSync::OnConnected(PeerId, int64_t now_ns, std::vector<PeerCommand>& commands) { AskNext(now_ns, commands); }

void HeaderSync::OnDisconnected(PeerId, int64_t now_ns, std::vector<PeerCommand>& commands) { AskNext(now_ns, commands); }

void HeaderSync::OnHeaders(const HeadersReceived& message, int64_t now_ns, int64_t now_s,
                           const ChainParams& params, std::vector<PeerCommand>& commands,
                           absl::FunctionRef<void(HeaderId)> on_new) {
  const auto found = peers_.find(message.peer);
  if (found == peers_.end()) return;
  SyncPeer& peer = found->second;
  peer.headers_requested = false;
  const std::optional<HeaderId> known_before = peer.best_known;

  for (const BlockHeader& header : message.headers) {
    const HeaderAcceptance accepted = AcceptHeader(tree_, header, params, now_s);
    if (!accepted.verdict.ok()) {
      if (accepted.verdict.rule == Rule::kParentUnknown) {
        // An announcement can outrun us: ask for what lies between, but not for ever.
        if (++peer.unconnecting_headers > kUnconnectingHeadersMax) {
          AnswerFault(message.peer, PeerFault::kUnconnectingHeaders, commands);
        } else {
          Ask(peer, now_ns, commands);
        }
        return;
      }
      const bool is_of_the_future = accepted.verdict.rule == Rule::kTimeTooNew;
      HR_LOG(kWarning, kSync, "header rejected peer=", message.peer, " hash=", header.Hash().ToHex(),
             " reason=", accepted.verdict.RejectReason());
      AnswerFault(message.peer, is_of_the_future ? PeerFault::kHeaderOfTheFuture : PeerFault::kInvalidHeader, commands,
                  accepted.verdict.RejectReason());
      return;
    }
    if (accepted.is_new) on_new(accepted.id);
    if (!peer.best_known || tree_.work(accepted.id) >= tree_.work(*peer.best_known)) peer.best_known = accepted.id;
  }
  peer.unconnecting_headers = 0;

  // A full message that leads nowhere new would be followed by itself for ever.
  const bool has_advanced = !known_before || tree_.work(*peer.best_known) > tree_.work(*known_before);
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
    } else {
      AnswerFault(id, PeerFault::kHeadersTimeout, commands);
    }
  }
  AskNext(now_ns, commands);
}

}  // namespace headrace
