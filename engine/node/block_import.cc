#include "engine/node/block_import.h"

#include <array>

#include "engine/base/log.h"
#include "engine/chain/header_acceptance.h"
#include "engine/ports/block_store.h"

namespace headrace {

bool BlockImport::Offer(MaskedBytes&& block) {
  // Counted first, so that nobody sees an empty import with a block in the ring.
  offered_.fetch_add(1, std::memory_order_release);
  if (ring_.TryPush(std::move(block))) return true;
  offered_.fetch_sub(1, std::memory_order_release);
  return false;
}

bool BlockImport::Take(int64_t now_s, Ready& ready) {
  while (true) {
    MaskedBytes block;
    if (!connectable_.empty()) {
      block = std::move(connectable_.back());
      connectable_.pop_back();
    } else if (auto popped = ring_.TryPop()) {
      block = std::move(*popped);
      taken_.fetch_add(1, std::memory_order_release);
    } else {
      return false;
    }
    if (TryConnect(std::move(block), now_s, ready)) return true;
  }
}

void BlockImport::ReleaseChildrenOf(HeaderId id) {
  const auto children = waiting_.find(tree_.hash(id));
  if (children == waiting_.end()) return;
  waiting_count_ -= children->second.size();
  for (MaskedBytes& child : children->second) connectable_.push_back(std::move(child));
  waiting_.erase(children);
}

bool BlockImport::TryConnect(MaskedBytes&& block, int64_t now_s, Ready& ready) {
  if (block.size() < BlockHeader::kSerializedBytes) return false;
  std::array<uint8_t, BlockHeader::kSerializedBytes> header_bytes;
  block.DecodeInto(header_bytes);
  const BlockHeader header = BlockHeader::Load(header_bytes.data());
  const HeaderAcceptance accepted = AcceptHeader(tree_, header, params_, now_s);
  if (accepted.verdict.rule == Rule::kParentUnknown) {
    // The zero parent is another network's genesis: nothing will ever connect it.
    if (waiting_count_ >= kWaitingMax || header.previous.IsZero()) return false;
    waiting_[header.previous].push_back(std::move(block));
    ++waiting_count_;
    return false;
  }
  if (!accepted.verdict.ok()) {
    HR_LOG(kWarning, kSync, "imported block rejected hash=", header.Hash().ToHex(),
           " reason=", accepted.verdict.RejectReason());
    return false;
  }
  ReleaseChildrenOf(accepted.id);
  if (accepted.id == kGenesisId || tree_.has_data(accepted.id)) return false;
  ready = {accepted.id, accepted.is_new, std::move(block)};
  return true;
}

}  // namespace headrace
