// A block that an operator or a miner hands in: what NodeFacade::Submit does.

#include <utility>

#include "engine/base/status_macros.h"
#include "engine/chain/header_acceptance.h"
#include "engine/consensus/check_block.h"
#include "engine/node/node.h"
#include "engine/node/node_facade.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {
namespace {

// The same block with the coinbase's witness reserved value of 32 zeros (BIP141), which block templates leave to the
// node.
std::vector<uint8_t> WithWitnessNonce(const std::vector<uint8_t>& raw, TransactionView coinbase) {
  constexpr uint8_t kMarkerAndFlag[] = {0, 1};
  constexpr uint8_t kWitness[34] = {1, 32};
  const auto begin = coinbase.serialized().data() - raw.data();
  const auto version_end = raw.begin() + begin + 4;
  const auto lock_time = raw.begin() + begin + coinbase.total_size() - 4;
  std::vector<uint8_t> result(raw.begin(), version_end);
  result.insert(result.end(), std::begin(kMarkerAndFlag), std::end(kMarkerAndFlag));
  result.insert(result.end(), version_end, lock_time);
  result.insert(result.end(), std::begin(kWitness), std::end(kWitness));
  result.insert(result.end(), lock_time, raw.end());
  return result;
}

bool LacksWitnessNonce(const BlockColumns& block) {
  if (block.transaction_count() == 0) return false;
  const TransactionView coinbase = block.transaction(0);
  return coinbase.IsCoinbase() && !coinbase.has_witness() && FindWitnessCommitment(coinbase) >= 0;
}

}  // namespace

struct NodeFacade::Submission {
  BlockHeader header;
  SlabRef slab;
  HeaderId id = kNoHeader;
  std::string answer;
  absl::Status status;
};

absl::StatusOr<std::string> NodeFacade::Submit(std::vector<uint8_t> raw) {
  BlockColumns columns;
  if (DecodeBlock(raw, columns) != DecodeError::kNone) return absl::InvalidArgumentError("Block decode failed");
  if (LacksWitnessNonce(columns)) {
    bool has_segwit = false;
    HR_RETURN_IF_ERROR(Ask([&] {
      const HeaderId parent = node_.tree_.Find(columns.header.previous);
      has_segwit = parent != kNoHeader && node_.tree_.height(parent) + 1 >= node_.params_.segwit_height;
    }));
    if (has_segwit) {
      raw = WithWitnessNonce(raw, columns.transaction(0));
      if (DecodeBlock(raw, columns) != DecodeError::kNone) return absl::InvalidArgumentError("Block decode failed");
    }
  }
  HashTransactions(columns);
  // What needs no place among the headers is judged first, as it is in the field.
  if (const Verdict verdict = CheckBlock(columns, node_.params_); !verdict.ok()) return verdict.RejectReason();

  Submission submission;
  submission.header = columns.header;
  submission.slab = Slab::Copy(raw);
  bool has_begun = false;
  HR_RETURN_IF_ERROR(node_.calls_.Run([&] {
    if (!has_begun) {
      has_begun = true;
      if (!BeginSubmission(submission)) return true;
    }
    return IsSettled(submission);
  }));
  HR_RETURN_IF_ERROR(submission.status);
  return std::move(submission.answer);
}

bool NodeFacade::BeginSubmission(Submission& submission) {
  submission.status = StopHeightFailure();
  if (!submission.status.ok()) return false;
  HeaderTree& tree = node_.tree_;
  const HeaderAcceptance accepted =
      AcceptHeader(tree, submission.header, node_.params_, node_.ports_.clock.UnixSeconds());
  if (!accepted.verdict.ok()) {
    submission.answer = accepted.verdict.RejectReason();
    return false;
  }
  submission.id = accepted.id;
  if (accepted.is_new) {
    failure_ = node_.records_.Put(accepted.id);
    node_.import_.OnNewHeader(accepted.id);
  }
  submission.status = failure_;
  if (!failure_.ok()) return false;
  const bool is_known = accepted.id == kGenesisId || tree.has_data(accepted.id) || node_.pipeline_.Holds(accepted.id) ||
                        submitted_.contains(accepted.id);
  if (is_known) {
    submission.answer = "duplicate";
    return false;
  }
  submitted_.emplace(accepted.id, Verdict());
  node_.pipeline_.Submit(accepted.id, SharedBytes::From(submission.slab), submission.slab, 0);
  return true;
}

bool NodeFacade::IsSettled(Submission& submission) {
  const HeaderTree& tree = node_.tree_;
  const HeaderId id = submission.id;
  const Verdict& verdict = submitted_.at(id);
  const bool is_applied = node_.pipeline_.chain().Contains(id);
  if (!verdict.ok()) {
    submission.answer = verdict.RejectReason();
  } else if (!is_applied) {
    const bool is_under_way = !tree.has_data(id) || tree.IsAncestorOf(id, node_.pipeline_.Target());
    if (is_under_way) return false;
    submission.answer = "inconclusive";
  }
  submitted_.erase(id);
  return true;
}

void NodeFacade::OnReport(const BlockReport& report) {
  const auto found = submitted_.find(report.id);
  if (found != submitted_.end() && !report.verdict.ok()) found->second = report.verdict;
}

}  // namespace headrace
