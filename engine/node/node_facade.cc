#include "engine/node/node_facade.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/node/node.h"

namespace headrace {

const ChainParams& NodeFacade::params() const { return node_.params_; }

NodeStatus NodeFacade::Status() const { return node_.Status(); }

absl::Status NodeFacade::Ask(absl::FunctionRef<void()> question) {
  return node_.calls_.Run([&] {
    question();
    return true;
  });
}

BlockFacts NodeFacade::FactsOf(HeaderId id) const {
  const HeaderTree& tree = node_.tree_;
  const ActiveChain& chain = node_.pipeline_.chain();
  BlockFacts facts;
  facts.hash = tree.hash(id);
  facts.header = tree.header(id);
  facts.height = tree.height(id);
  facts.median_time_past_s = tree.median_time_past(id);
  facts.chain_work = tree.work(id);
  facts.transaction_count = tree.transaction_count(id);
  facts.data = tree.data(id);
  if (chain.Contains(id)) facts.confirmations = int64_t{chain.height()} - facts.height + 1;
  if (const HeaderId next = chain.Next(id); next != kNoHeader) facts.next = tree.hash(next);
  return facts;
}

absl::StatusOr<ChainFacts> NodeFacade::Chain() {
  ChainFacts facts;
  HR_RETURN_IF_ERROR(Ask([&] {
    facts.tip = FactsOf(node_.pipeline_.chain().tip());
    facts.header_height = node_.tree_.height(node_.tree_.best_header());
    facts.progress = node_.Progress();
    node_.LookForEndOfInitialDownload();
    facts.is_initial_block_download = node_.is_initial_block_download_;
    facts.disk_bytes = node_.ports_.blocks.disk_bytes();
  }));
  return facts;
}

absl::StatusOr<BlockPoint> NodeFacade::AppliedTip() {
  BlockPoint tip;
  HR_RETURN_IF_ERROR(Ask([&] { tip = node_.pipeline_.AppliedTip(); }));
  return tip;
}

absl::StatusOr<BlockFacts> NodeFacade::BlockAtHeight(uint32_t height) {
  std::optional<BlockFacts> facts;
  HR_RETURN_IF_ERROR(Ask([&] {
    const ActiveChain& chain = node_.pipeline_.chain();
    if (height <= chain.height()) facts = FactsOf(chain.at(height));
  }));
  if (!facts) return absl::InvalidArgumentError("Block height out of range");
  return *std::move(facts);
}

absl::StatusOr<BlockFacts> NodeFacade::Block(const Hash256& hash) {
  std::optional<BlockFacts> facts;
  HR_RETURN_IF_ERROR(Ask([&] {
    if (const HeaderId id = node_.tree_.Find(hash); id != kNoHeader) facts = FactsOf(id);
  }));
  if (!facts) return absl::NotFoundError("Block not found");
  return *std::move(facts);
}

absl::StatusOr<SharedBytes> NodeFacade::RawBlock(const BlockFacts& block) const {
  if (block.height == 0) {
    const auto genesis = std::make_shared<const std::vector<uint8_t>>(GenesisBlock(node_.params_));
    return SharedBytes{*genesis, genesis};
  }
  if (!block.data.exists()) return absl::NotFoundError("Block not available (not fully downloaded)");
  HR_ASSIGN_OR_RETURN(SharedBytes raw, node_.ports_.blocks.Map(block.data));
  if (raw.bytes.size() < BlockHeader::kSerializedBytes || BlockHeader::Load(raw.bytes.data()) != block.header) {
    return absl::DataLossError(absl::StrCat("The block files hold something else where block ", block.hash.ToHex(),
                                            " should be: they are damaged. Start with -reindex."));
  }
  return raw;
}

ChainTip NodeFacade::TipFactsOf(HeaderId id) const {
  const HeaderTree& tree = node_.tree_;
  const ActiveChain& chain = node_.pipeline_.chain();
  ChainTip tip{tree.hash(id), tree.height(id), tree.height(id) - tree.height(chain.FindFork(id))};
  if (chain.Contains(id)) {
    tip.status = ChainTipStatus::kActive;
  } else if (tree.is_invalid(id)) {
    tip.status = ChainTipStatus::kInvalid;
  } else if (!tree.is_complete(id)) {
    tip.status = ChainTipStatus::kHeadersOnly;
  } else if ((node_.records_.status(id) & kBlockApplied) != 0) {
    tip.status = ChainTipStatus::kValidFork;
  } else {
    tip.status = ChainTipStatus::kValidHeaders;
  }
  return tip;
}

absl::StatusOr<std::vector<ChainTip>> NodeFacade::ChainTips() {
  std::vector<ChainTip> tips;
  HR_RETURN_IF_ERROR(Ask([&] {
    const HeaderId active = node_.pipeline_.chain().tip();
    std::vector<HeaderId> ids = node_.tree_.tips();
    if (std::find(ids.begin(), ids.end(), active) == ids.end()) ids.push_back(active);
    for (const HeaderId id : ids) tips.push_back(TipFactsOf(id));
  }));
  std::stable_sort(tips.begin(), tips.end(), [](const ChainTip& a, const ChainTip& b) { return a.height > b.height; });
  return tips;
}

absl::StatusOr<std::optional<UnspentOutput>> NodeFacade::FindOutput(const OutPoint& outpoint) {
  absl::StatusOr<bool> found = false;
  UnspentOutput output;
  HR_RETURN_IF_ERROR(Ask([&] {
    Coin coin;
    output.best = node_.pipeline_.AppliedTip();
    found = node_.pipeline_.FindCoin(outpoint, coin, output.script);
    output.amount = coin.amount;
    output.height = coin.height;
    output.is_coinbase = coin.is_coinbase;
  }));
  HR_RETURN_IF_ERROR(found.status());
  if (!*found) return std::optional<UnspentOutput>();
  return std::optional<UnspentOutput>(std::move(output));
}

absl::StatusOr<CoinSetStatistics> NodeFacade::CoinSet(CoinSetHashes hashes) {
  return node_.whole_set_.Statistics(hashes);
}

absl::StatusOr<SnapshotFacts> NodeFacade::WriteSnapshot(const std::string& path) {
  return node_.whole_set_.WriteSnapshot(path);
}

absl::Status NodeFacade::StopHeightFailure() const {
  if (!node_.reached_stop_height()) return absl::OkStatus();
  return absl::FailedPreconditionError("The node has reached -stopatheight and changes nothing more.");
}

absl::Status NodeFacade::Order(absl::FunctionRef<bool()> begin) {
  bool has_begun = false;
  HeaderId goal = kGenesisId;
  return node_.calls_.Run([&] {
    const BlockPipeline& pipeline = node_.pipeline_;
    if (!has_begun) {
      has_begun = true;
      if (!begin()) return true;
      goal = pipeline.Target();
    }
    // Blocks that come meanwhile move the target on; a refused one, or another branch, moves it elsewhere.
    if (!node_.tree_.IsAncestorOf(goal, pipeline.Target())) goal = pipeline.Target();
    return pipeline.chain().Contains(goal) && !node_.tree_.is_invalid(pipeline.chain().tip());
  });
}

absl::Status NodeFacade::Invalidate(const Hash256& hash) {
  absl::Status status;
  HR_RETURN_IF_ERROR(Order([&] {
    const HeaderId id = node_.tree_.Find(hash);
    if (id == kNoHeader) status = absl::NotFoundError("Block not found");
    if (id == kGenesisId) status = absl::InvalidArgumentError("The first block of a network cannot be invalidated.");
    status.Update(StopHeightFailure());
    if (!status.ok()) return false;
    HR_LOG(kWarning, kNode, "invalidated by hand hash=", hash.ToHex(), " height=", node_.tree_.height(id));
    reports_.clear();
    failure_ = node_.pipeline_.Invalidate(id, reports_);
    for (const BlockReport& report : reports_) node_.OnReport(report);
    status = failure_;
    return status.ok();
  }));
  return status;
}

absl::Status NodeFacade::Reconsider(const Hash256& hash) {
  absl::Status status;
  HR_RETURN_IF_ERROR(Order([&] {
    const HeaderId id = node_.tree_.Find(hash);
    if (id == kNoHeader) status = absl::NotFoundError("Block not found");
    status.Update(StopHeightFailure());
    if (!status.ok()) return false;
    HR_LOG(kInfo, kNode, "reconsidered by hand hash=", hash.ToHex(), " height=", node_.tree_.height(id));
    failure_ = node_.pipeline_.Reconsider(id);
    status = failure_;
    return status.ok();
  }));
  return status;
}

}  // namespace headrace
