#include "engine/chain/assume_valid.h"

#include <limits>

#include "engine/primitives/targets.h"

namespace headrace {

namespace {
constexpr int64_t kTwoWeeks_s = 14 * 24 * 60 * 60;
}

std::string_view ScriptPostureSentence(ScriptPosture posture) {
  switch (posture) {
    case ScriptPosture::kAssumed: return "scripts are assumed good below the assumed-valid block";
    case ScriptPosture::kNoAssumedBlock: return "no block is assumed valid";
    case ScriptPosture::kAssumedBlockUnknown: return "the assumed-valid block is not among the headers";
    case ScriptPosture::kNotBelowAssumedBlock: return "the block is not an ancestor of the assumed-valid block";
    case ScriptPosture::kNotBelowBestHeader: return "the block is not an ancestor of the best header";
    case ScriptPosture::kTooLittleWork: return "the best header has less than the minimum chain work";
    case ScriptPosture::kTooRecent: return "less than two weeks of work stand above the block";
  }
  return "";
}

int64_t EquivalentTime_s(const HeaderTree& tree, HeaderId to, HeaderId from, HeaderId tip, const ChainParams& params) {
  const bool is_forward = tree.work(to) > tree.work(from);
  Uint256 work = is_forward ? tree.work(to) - tree.work(from) : tree.work(from) - tree.work(to);
  work *= static_cast<uint64_t>(params.target_spacing_s);
  work /= WorkFromBits(tree.facts(tip).bits);
  const int64_t time_s =
      work.bit_length() > 63 ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(work.low64());
  return is_forward ? time_s : -time_s;
}

ScriptPosture ScriptPostureOf(const HeaderTree& tree, HeaderId block, const AssumeValid& assume_valid,
                              const ChainParams& params) {
  if (assume_valid.block.IsZero()) return ScriptPosture::kNoAssumedBlock;
  const HeaderId assumed = tree.Find(assume_valid.block);
  if (assumed == kNoHeader) return ScriptPosture::kAssumedBlockUnknown;
  if (!tree.IsAncestorOf(block, assumed)) return ScriptPosture::kNotBelowAssumedBlock;
  const HeaderId best = tree.best_header();
  if (!tree.IsAncestorOf(block, best)) return ScriptPosture::kNotBelowBestHeader;
  if (tree.work(best) < assume_valid.minimum_chain_work) return ScriptPosture::kTooLittleWork;
  if (EquivalentTime_s(tree, best, block, best, params) <= kTwoWeeks_s) return ScriptPosture::kTooRecent;
  return ScriptPosture::kAssumed;
}

}  // namespace headrace
