#include "engine/chain/header_acceptance.h"

#include "engine/consensus/check_header.h"

namespace headrace {

HeaderAcceptance AcceptHeader(HeaderTree& tree, const BlockHeader& header, const ChainParams& params, int64_t now_s) {
  const Hash256 hash = header.Hash();
  if (const HeaderId known = tree.Find(hash); known != kNoHeader) {
    return {{tree.is_invalid(known) ? Rule::kHeaderDuplicateInvalid : Rule::kNone}, known, false};
  }
  // Proof of work first: whatever else is wrong then cost the sender something.
  if (const Verdict verdict = CheckHeader(header, hash, params); !verdict.ok()) return {verdict};
  const HeaderId parent = tree.Find(header.previous);
  if (parent == kNoHeader) return {{Rule::kParentUnknown}};
  if (tree.is_invalid(parent)) return {{Rule::kParentInvalid}};
  const Verdict verdict = CheckHeaderContext(header, TreeAncestry(tree, parent), params, now_s);
  if (!verdict.ok()) return {verdict};
  return {verdict, tree.Add(header, hash, parent), true};
}

}  // namespace headrace
