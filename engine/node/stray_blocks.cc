#include "engine/node/stray_blocks.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/chain/header_acceptance.h"
#include "engine/validation/check_stage.h"

namespace headrace {
namespace {

constexpr size_t kChunkBlocks = 256;
constexpr int64_t kLogIntervalNs = int64_t{5} * 1'000'000'000;

absl::Status CancelledBy(const std::function<bool()>& stop_requested) {
  if (!stop_requested || !stop_requested()) return absl::OkStatus();
  return absl::CancelledError("Stopped while blocks were taken up from the block files.");
}

struct Connected {
  HeaderId id;
  BlockPosition position;
};

// Parents first, whatever the order in the files.
absl::StatusOr<std::vector<Connected>> Connect(std::span<const StrayBlock> strays, const ChainParams& params, int64_t now_s,
                                               HeaderTree& tree, BlockRecords& records, const BlockStore& blocks,
                                               const std::function<bool()>& stop_requested) {
  std::vector<Connected> connected;
  absl::flat_hash_map<Hash256, std::vector<BlockPosition>> waiting;  // by the parent's hash
  std::vector<BlockPosition> pending;
  for (const StrayBlock& stray : strays) {
    HR_RETURN_IF_ERROR(CancelledBy(stop_requested));
    pending.push_back(stray.position);
    while (!pending.empty()) {
      const BlockPosition position = pending.back();
      pending.pop_back();
      HR_ASSIGN_OR_RETURN(const SharedBytes raw, blocks.Map(position));
      if (raw.bytes.size() <= BlockHeader::kSerializedBytes) continue;
      const BlockHeader header = BlockHeader::Load(raw.bytes.data());
      const HeaderAcceptance accepted = AcceptHeader(tree, header, params, now_s);
      if (accepted.verdict.rule == Rule::kParentUnknown) waiting[header.previous].push_back(position);
      if (!accepted.verdict.ok()) continue;
      if (accepted.is_new) HR_RETURN_IF_ERROR(records.Put(accepted.id));
      if (const auto children = waiting.find(tree.hash(accepted.id)); children != waiting.end()) {
        pending.insert(pending.end(), children->second.begin(), children->second.end());
        waiting.erase(children);
      }
      if (accepted.id == kGenesisId || tree.has_data(accepted.id)) continue;
      connected.push_back({accepted.id, position});
    }
  }
  return connected;
}

// The number of transactions, or zero when the bytes are not the block that their header names.
uint32_t CheckOne(const Connected& stray, SharedBytes raw, const ChainParams& params, const HeaderTree& tree) {
  BlockJob job;
  job.id = stray.id;
  job.height = tree.height(stray.id);
  job.raw = std::move(raw);
  job.context = MakeBlockContext(tree.header(stray.id), tree.hash(stray.id), TreeAncestry(tree, tree.parent(stray.id)), params);
  ParseBlock(job);
  if (job.verdict.ok()) CheckJob(job, params);
  return job.verdict.ok() ? job.columns.transaction_count() : 0;
}

}  // namespace

absl::Status AdoptStrayBlocks(std::span<const StrayBlock> strays, const ChainParams& params, Clock& clock, HeaderTree& tree,
                              BlockRecords& records, BlockStore& blocks, Executor& executor,
                              const std::function<bool()>& stop_requested) {
  if (strays.empty()) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const std::vector<Connected> connected,
                      Connect(strays, params, clock.UnixSeconds(), tree, records, blocks, stop_requested));
  size_t adopted = 0;
  int64_t logged_ns = clock.MonotonicNs();
  std::vector<uint32_t> transaction_counts;
  std::vector<SharedBytes> raw;
  for (size_t begin = 0; begin < connected.size(); begin += kChunkBlocks) {
    HR_RETURN_IF_ERROR(CancelledBy(stop_requested));
    const size_t count = std::min(kChunkBlocks, connected.size() - begin);
    raw.resize(count);
    for (size_t i = 0; i < count; ++i) {
      HR_ASSIGN_OR_RETURN(raw[i], blocks.Map(connected[begin + i].position));
    }
    transaction_counts.assign(count, 0);
    executor.ParallelFor(count, 1, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) transaction_counts[i] = CheckOne(connected[begin + i], std::move(raw[i]), params, tree);
    });
    for (size_t i = 0; i < count; ++i) {
      // A block may stand there twice, and only one copy be whole.
      if (transaction_counts[i] == 0 || tree.has_data(connected[begin + i].id)) continue;
      ++adopted;
      tree.SetData(connected[begin + i].id, connected[begin + i].position, transaction_counts[i]);
      HR_RETURN_IF_ERROR(records.Put(connected[begin + i].id));
    }
    if (const int64_t now_ns = clock.MonotonicNs(); now_ns - logged_ns >= kLogIntervalNs) {
      logged_ns = now_ns;
      HR_LOG(kInfo, kNode, "reading blocks that the index does not name checked=", begin + count, " of=", connected.size());
    }
  }
  HR_LOG(kInfo, kNode, "blocks taken up from the block files count=", adopted, " left=", strays.size() - adopted);
  return absl::OkStatus();
}

}  // namespace headrace
