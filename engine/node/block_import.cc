#include "engine/node/block_import.h"

#include <array>

#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/chain/header_acceptance.h"
#include "engine/ports/block_store.h"

namespace headrace {

bool BlockImport::Push(Offered&& offered) {
  // Counted first, so that nobody sees an empty import with a block in the ring.
  offered_.fetch_add(1, std::memory_order_release);
  if (ring_.TryPush(std::move(offered))) return true;
  offered_.fetch_sub(1, std::memory_order_release);
  return false;
}

bool BlockImport::Offer(MaskedBytes&& block) {
  Offered offered{std::move(block), false};
  if (Push(std::move(offered))) return true;
  block = std::move(offered.bytes);
  return false;
}

bool BlockImport::OfferHeader(MaskedBytes&& header) {
  HR_CHECK(header.size() == BlockHeader::kSerializedBytes);
  Offered offered{std::move(header), true};
  if (Push(std::move(offered))) return true;
  header = std::move(offered.bytes);
  return false;
}

bool BlockImport::Take(int64_t now_s, Ready& ready) {
  while (true) {
    Offered offered;
    if (!connectable_.empty()) {
      offered = std::move(connectable_.back());
      connectable_.pop_back();
    } else if (auto popped = ring_.TryPop()) {
      offered = std::move(*popped);
      taken_.fetch_add(1, std::memory_order_release);
    } else {
      return false;
    }
    if (TryConnect(std::move(offered), now_s, ready)) return true;
  }
}

void BlockImport::ReleaseChildrenOf(HeaderId id) {
  const auto children = waiting_.find(tree_.hash(id));
  if (children == waiting_.end()) return;
  waiting_count_ -= children->second.size();
  for (Offered& child : children->second) connectable_.push_back(std::move(child));
  waiting_.erase(children);
}

bool BlockImport::TryConnect(Offered&& offered, int64_t now_s, Ready& ready) {
  if (offered.bytes.size() < BlockHeader::kSerializedBytes) return false;
  std::array<uint8_t, BlockHeader::kSerializedBytes> header_bytes;
  offered.bytes.DecodeInto(header_bytes);
  const BlockHeader header = BlockHeader::Load(header_bytes.data());
  const HeaderAcceptance accepted = AcceptHeader(tree_, header, params_, now_s);
  if (accepted.verdict.rule == Rule::kParentUnknown) {
    // The zero parent is another network's genesis: nothing will ever connect it.
    if (waiting_count_ >= kWaitingMax || header.previous.IsZero()) return false;
    waiting_[header.previous].push_back(std::move(offered));
    ++waiting_count_;
    return false;
  }
  if (!accepted.verdict.ok()) {
    HR_LOG(kWarning, kSync, "imported block rejected hash=", header.Hash().ToHex(),
           " reason=", accepted.verdict.RejectReason());
    return false;
  }
  ReleaseChildrenOf(accepted.id);
  if (accepted.id == kGenesisId) return false;
  const bool has_block = !offered.is_header && !tree_.has_data(accepted.id);
  if (!has_block && !accepted.is_new) return false;
  ready = {accepted.id, accepted.is_new, has_block, std::move(offered.bytes)};
  return true;
}

}  // namespace headrace
