#include "engine/consensus/check_header.h"

#include <array>

#include "engine/consensus/difficulty.h"

namespace headrace {

namespace {

struct HeaderCase {
  const BlockHeader& header;
  const Ancestry& parent_chain;
  const ChainParams& params;
  int64_t now_s;

  uint32_t height() const { return parent_chain.height() + 1; }
};

bool BitsFollowFromAncestors(const HeaderCase& c) {
  return c.header.bits == RequiredBits(c.parent_chain, c.header.time_s, c.params);
}

bool IsLaterThanMedian(const HeaderCase& c) {
  return c.header.time_s > c.parent_chain.median_time_past(c.parent_chain.height());
}

bool DoesNotWarpTime(const HeaderCase& c) {
  if (!c.params.enforces_bip94 || c.height() % c.params.difficulty_interval() != 0) return true;
  return c.header.time_s >= int64_t{c.parent_chain.At(c.parent_chain.height()).time_s} - kMaxTimeWarp_s;
}

bool IsNotFarAhead(const HeaderCase& c) { return c.header.time_s <= c.now_s + kMaxFutureBlockTime_s; }

bool VersionIsRecentEnough(const HeaderCase& c) {
  const int32_t version = c.header.version;
  return !((version < 2 && c.height() >= c.params.bip34_height) ||
           (version < 3 && c.height() >= c.params.bip66_height) ||
           (version < 4 && c.height() >= c.params.bip65_height));
}

struct HeaderRule {
  Rule rule;
  bool (*holds)(const HeaderCase&);
};

// In the order in which the network applies them; the sentences are in rule.h.
constexpr std::array kHeaderRules = {
    HeaderRule{Rule::kDifficultyBits, BitsFollowFromAncestors},
    HeaderRule{Rule::kTimeTooOld, IsLaterThanMedian},
    HeaderRule{Rule::kTimeWarp, DoesNotWarpTime},
    HeaderRule{Rule::kTimeTooNew, IsNotFarAhead},
    HeaderRule{Rule::kVersionTooOld, VersionIsRecentEnough},
};

}  // namespace

Verdict CheckHeader(const BlockHeader& header, const Hash256& hash, const ChainParams& params) {
  return {CheckProofOfWork(hash, header.bits, params) ? Rule::kNone : Rule::kProofOfWork};
}

Verdict CheckHeaderContext(const BlockHeader& header, const Ancestry& parent_chain, const ChainParams& params,
                           int64_t now_s) {
  const HeaderCase header_case{header, parent_chain, params, now_s};
  for (const HeaderRule& rule : kHeaderRules) {
    if (rule.holds(header_case)) continue;
    Verdict verdict{rule.rule};
    if (rule.rule == Rule::kVersionTooOld) verdict.block_version = header.version;
    return verdict;
  }
  return {};
}

}  // namespace headrace
