#include "engine/validation/window_resolver.h"

#include "absl/container/flat_hash_map.h"
#include "engine/base/check.h"
#include "engine/base/span.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/check_spends.h"

namespace headrace {

WindowBlock WindowBlockOf(BlockJob& job) {
  return {job.height, &job.columns, job.spent, &job.arena, job.context.bip30_exception};
}

WindowResolver::WindowResolver(const HeaderTree& tree, const ChainParams& params, CoinStore& coins, Executor& executor)
    : tree_(tree), params_(params), coins_(coins), executor_(executor) {}

Verdict WindowResolver::CheckSpends(BlockJob& job) const {
  const TreeAncestry parents(tree_, tree_.parent(job.id));
  return CheckBlockSpends(job.columns, job.spent, job.context, parents, params_, &job.fees);
}

absl::StatusOr<size_t> WindowResolver::Resolve(std::span<BlockJob* const> jobs, bool trusted) {
  HR_ASSIGN_OR_RETURN(const bool all, TryWindow(jobs, trusted));
  if (all) return jobs.size();
  if (trusted) {
    return absl::DataLossError(
        "The unspent set does not fit the blocks that it was made from: it is damaged. Start once with -reindex-chainstate.");
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    HR_ASSIGN_OR_RETURN(const bool resolved, ResolveAlone(*jobs[i]));
    if (!resolved) return i;
  }
  return jobs.size();
}

absl::StatusOr<bool> WindowResolver::TryWindow(std::span<BlockJob* const> jobs, bool trusted) {
  window_.clear();
  for (BlockJob* job : jobs) {
    job->spent.assign(job->columns.input_count(), Coin());
    job->arena.Reset();
    window_.push_back(WindowBlockOf(*job));
  }
  const BlockPoint before = coins_.resolved();
  HR_ASSIGN_OR_RETURN(const WindowOutcome outcome, coins_.Apply(window_));
  if (outcome == WindowOutcome::kViolated) return false;
  if (trusted) return true;
  executor_.ParallelFor(jobs.size(), 1, [&](size_t begin, size_t end) {
    const Span span(SpanKind::kCheckSpends);
    for (size_t i = begin; i < end; ++i) jobs[i]->verdict = CheckSpends(*jobs[i]);
  });
  bool all_ok = true;
  for (const BlockJob* job : jobs) all_ok &= job->verdict.ok();
  if (all_ok) return true;
  HR_RETURN_IF_ERROR(coins_.Unapply(window_, before));
  return false;
}

absl::StatusOr<bool> WindowResolver::ResolveAlone(BlockJob& job) {
  BlockJob* const alone[] = {&job};
  job.verdict = {};
  HR_ASSIGN_OR_RETURN(const bool resolved, TryWindow(alone, false));
  // The store refuses without naming anything; the rules say why themselves.
  if (!resolved && job.verdict.ok()) {
    HR_ASSIGN_OR_RETURN(job.verdict, FirstOffence(job));
    HR_CHECK(!job.verdict.ok());
  }
  return resolved;
}

absl::StatusOr<bool> WindowResolver::CreatesExistingCoin(const BlockJob& job, uint32_t* transaction) {
  std::vector<uint8_t> script;
  Coin coin;
  for (uint32_t t = 0; t < job.columns.transaction_count(); ++t) {
    const TransactionView view = job.columns.transaction(t);
    for (uint32_t o = 0; o < view.output_count(); ++o) {
      HR_ASSIGN_OR_RETURN(const bool exists, coins_.Find({view.txid(), o}, coin, script));
      if (!exists) continue;
      *transaction = t;
      return true;
    }
  }
  return false;
}

absl::StatusOr<Verdict> WindowResolver::FirstOffence(BlockJob& job) {
  Verdict verdict;
  if (!job.context.bip30_exception) {
    HR_ASSIGN_OR_RETURN(const bool duplicate, CreatesExistingCoin(job, &verdict.transaction));
    if (duplicate) {
      verdict.rule = Rule::kDuplicateUnspentTransaction;
      return verdict;
    }
  }
  // The coins of this block alone: what it has created so far, and what it has spent.
  absl::flat_hash_map<OutPoint, Coin> created;
  absl::flat_hash_map<OutPoint, bool> spent;
  std::vector<uint8_t> script;
  uint32_t first_missing = kNoInput;
  job.arena.Reset();
  for (uint32_t t = 0; t < job.columns.transaction_count() && first_missing == kNoInput; ++t) {
    const TransactionView view = job.columns.transaction(t);
    for (uint32_t i = 0; t != 0 && i < view.input_count(); ++i) {
      const OutPoint outpoint = view.prevout(i);
      Coin& coin = job.spent[view.first_input() + i];
      bool exists = false;
      if (const auto own = created.find(outpoint); own != created.end()) {
        coin = own->second;
        exists = true;
      } else {
        HR_ASSIGN_OR_RETURN(exists, coins_.Find(outpoint, coin, script));
        if (exists) coin.script = job.arena.Copy(coin.script);
      }
      if (!exists || !spent.emplace(outpoint, true).second) {
        first_missing = view.first_input() + i;
        break;
      }
    }
    for (uint32_t o = 0; o < view.output_count(); ++o) {
      const ByteSpan script_pubkey = view.script_pubkey(o);
      if (IsUnspendable(script_pubkey)) continue;
      created[{view.txid(), o}] = {view.amount(o), job.height, t == 0, script_pubkey};
    }
  }
  const TreeAncestry parents(tree_, tree_.parent(job.id));
  return CheckBlockSpends(job.columns, job.spent, job.context, parents, params_, &job.fees, first_missing);
}

}  // namespace headrace
