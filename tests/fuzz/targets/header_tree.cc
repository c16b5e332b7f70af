// The header tree and the active chain over it against twins that walk and scan: headers offered in any order through
// acceptance, marks, reconsiderations, data that comes and is lost, tips that move.
#include "engine/chain/header_tree.h"

#include <algorithm>
#include <set>

#include "engine/chain/active_chain.h"
#include "engine/chain/header_acceptance.h"
#include "engine/chain/locator.h"
#include "engine/primitives/targets.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

constexpr size_t kHeadersMax = 80;

struct Node {
  BlockHeader header;
  Hash256 hash;
  HeaderId parent = kNoHeader;
  uint32_t height = 0;
  bool is_marked = false;
  bool is_received = false;
  uint32_t transactions = 0;
};

class Pair {
 public:
  explicit Pair(FuzzInput& in) : in_(in), params_(ParamsFor(ChainId::kRegtest)), tree_(Genesis()), active_(tree_) {
    nodes_.push_back({Genesis(), Genesis().Hash(), kNoHeader, 0, false, true, 1});
  }

  void Step() {
    switch (in_.Below(10)) {
      case 0:
      case 1:
      case 2:
        return Offer(MakeHeader());
      case 3:
        return OfferKept();
      case 4:
        return Receive(Any());
      case 5:
        return nodes_.size() > 1 ? Mark(1 + static_cast<HeaderId>(in_.Below(nodes_.size() - 1))) : void();
      case 6:
        return Reconsider(Any());
      case 7:
        return Forget(Any());
      case 8:
        return MoveTip();
      default:
        return CheckWalks(Any(), Any());
    }
  }

  void RequireEqual() {
    HR_CHECK(tree_.size() == nodes_.size() && tree_.best_header() == BestHeader());
    Uint256 best;
    for (HeaderId id = 0; id < nodes_.size(); ++id) {
      HR_CHECK(tree_.is_invalid(id) == IsInvalid(id) && tree_.is_marked_invalid(id) == nodes_[id].is_marked);
      HR_CHECK(tree_.is_complete(id) == IsComplete(id) && tree_.is_received(id) == nodes_[id].is_received);
      HR_CHECK(tree_.Find(nodes_[id].hash) == id && tree_.work(id) == Work(id) &&
               tree_.height(id) == nodes_[id].height);
      HR_CHECK(tree_.median_time_past(id) == MedianTime(id) && tree_.chain_transaction_count(id) == Transactions(id));
      if (!IsInvalid(id) && IsComplete(id)) best = std::max(best, Work(id));
    }
    const HeaderId candidate = tree_.best_candidate();
    HR_CHECK(!IsInvalid(candidate) && IsComplete(candidate) && Work(candidate) == best);
    HR_CHECK(tree_.tips() == Tips());
  }

 private:
  static BlockHeader Genesis() { return BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data()); }

  HeaderId Any() {
    // Mostly the newest, so that chains grow long.
    const size_t back = in_.Flag() ? in_.Below(std::min<size_t>(nodes_.size(), 3)) : in_.Below(nodes_.size());
    return static_cast<HeaderId>(nodes_.size() - 1 - back);
  }

  BlockHeader MakeHeader() {
    BlockHeader header;
    // Sometimes over one that was made and not offered yet.
    const bool is_over_kept = !kept_.empty() && in_.Below(4) == 0;
    const BlockHeader parent = is_over_kept ? kept_[in_.Below(kept_.size())] : nodes_[Any()].header;
    header.version = in_.Below(16) == 0 ? 1 : 0x20000000;
    header.previous = parent.Hash();
    header.time_s = parent.time_s + static_cast<uint32_t>(static_cast<int8_t>(in_.U8())) * 10;
    header.bits = in_.Below(16) == 0 ? 0x207ffffe : 0x207fffff;
    header.merkle_root.bytes[0] = in_.U8();
    const bool wants_work = in_.Below(16) != 0;
    for (const Uint256 target = DecodeCompact(header.bits).value;
         (Uint256::FromHash(header.Hash()) <= target) != wants_work;) {
      ++header.nonce;
    }
    if (in_.Below(3) == 0) kept_.push_back(header);
    return header;
  }

  void OfferKept() {
    if (kept_.empty()) return;
    Offer(kept_[in_.Below(kept_.size())]);
  }

  // What the rules say of it, in words: known, proof, parent, difficulty, median, clock, version.
  Rule Expected(const BlockHeader& header, HeaderId known, HeaderId parent) const {
    if (known != kNoHeader) return IsInvalid(known) ? Rule::kHeaderDuplicateInvalid : Rule::kNone;
    if (Uint256::FromHash(header.Hash()) > DecodeCompact(header.bits).value) return Rule::kProofOfWork;
    if (parent == kNoHeader) return Rule::kParentUnknown;
    if (IsInvalid(parent)) return Rule::kParentInvalid;
    if (header.bits != 0x207fffff) return Rule::kDifficultyBits;
    if (header.time_s <= MedianTime(parent)) return Rule::kTimeTooOld;
    if (int64_t{header.time_s} > now_s_ + 7200) return Rule::kTimeTooNew;
    if (header.version < 4) return Rule::kVersionTooOld;
    return Rule::kNone;
  }

  void Offer(const BlockHeader& header) {
    if (nodes_.size() >= kHeadersMax) return;
    const HeaderId known = FindPlain(header.Hash());
    const HeaderId parent = FindPlain(header.previous);
    const Rule expected = Expected(header, known, parent);
    const HeaderAcceptance acceptance = AcceptHeader(tree_, header, params_, now_s_);
    HR_CHECK(acceptance.verdict.rule == expected);
    // A store that is loaded names headers over invalid ones too; all of them were good by themselves.
    if (expected == Rule::kParentInvalid && header.bits == 0x207fffff && in_.Flag()) return Add(header, parent);
    const bool is_new = expected == Rule::kNone && known == kNoHeader;
    HR_CHECK(acceptance.is_new == is_new);
    if (!is_new) {
      HR_CHECK(acceptance.id == known);
      return;
    }
    HR_CHECK(acceptance.id == nodes_.size());
    nodes_.push_back({header, header.Hash(), parent, nodes_[parent].height + 1});
  }

  void Add(const BlockHeader& header, HeaderId parent) {
    HR_CHECK(tree_.Add(header, header.Hash(), parent) == nodes_.size());
    nodes_.push_back({header, header.Hash(), parent, nodes_[parent].height + 1});
  }

  void Receive(HeaderId id) {
    const uint32_t transactions = nodes_[id].transactions != 0 ? nodes_[id].transactions : 1 + in_.U8();
    nodes_[id].is_received = true;
    nodes_[id].transactions = transactions;
    tree_.SetData(id, {1, id, 100}, transactions);
    HR_CHECK(tree_.has_data(id) && tree_.transaction_count(id) == transactions);
  }

  void Mark(HeaderId id) {
    nodes_[id].is_marked = true;
    tree_.MarkInvalid(id);
  }

  void Reconsider(HeaderId id) {
    std::set<HeaderId> expected;
    for (HeaderId other = 0; other < nodes_.size(); ++other) {
      if (!nodes_[other].is_marked || (!IsAncestor(other, id) && !IsAncestor(id, other))) continue;
      nodes_[other].is_marked = false;
      expected.insert(other);
    }
    const std::vector<HeaderId> taken = tree_.Reconsider(id);
    HR_CHECK(std::set<HeaderId>(taken.begin(), taken.end()) == expected && taken.size() == expected.size());
  }

  void Forget(HeaderId id) {
    if (id == kGenesisId || !nodes_[id].is_received) return;
    nodes_[id].is_received = false;
    tree_.ForgetData(id);
    // How many transactions it has is not forgotten by us, and is said again with the data.
  }

  void MoveTip() {
    const HeaderId tip = Any();
    active_.SetTip(tip);
    const std::vector<HeaderId> path = Path(tip);
    HR_CHECK(active_.tip() == tip && active_.height() + 1 == path.size());
    for (uint32_t height = 0; height < path.size(); ++height) HR_CHECK(active_.at(height) == path[height]);
    const HeaderId other = Any();
    HeaderId fork = other;
    while (!IsAncestor(fork, tip)) fork = nodes_[fork].parent;
    HR_CHECK(active_.FindFork(other) == fork && active_.Contains(other) == (fork == other));
    // A peer that has the other chain learns where ours leaves it.
    const std::vector<Hash256> locator = BuildLocator(tree_, other);
    HR_CHECK(locator.front() == nodes_[other].hash && locator.back() == nodes_[0].hash);
    const HeaderId found = FindLocatorFork(tree_, active_, locator);
    HR_CHECK(other == tip || IsAncestor(tip, other) ? found == tip : IsAncestor(found, fork));
  }

  void CheckWalks(HeaderId a, HeaderId b) {
    const std::vector<HeaderId> path_a = Path(a);
    const std::vector<HeaderId> path_b = Path(b);
    for (uint32_t height = 0; height < path_a.size(); ++height) HR_CHECK(tree_.Ancestor(a, height) == path_a[height]);
    size_t common = 0;
    while (common + 1 < std::min(path_a.size(), path_b.size()) && path_a[common + 1] == path_b[common + 1]) ++common;
    HR_CHECK(tree_.LastCommonAncestor(a, b) == path_a[common]);
    HR_CHECK(tree_.IsAncestorOf(a, b) == IsAncestor(a, b));
  }

  std::vector<HeaderId> Path(HeaderId id) const {
    std::vector<HeaderId> path;
    for (HeaderId at = id; at != kNoHeader; at = nodes_[at].parent) path.push_back(at);
    std::reverse(path.begin(), path.end());
    return path;
  }
  bool IsAncestor(HeaderId ancestor, HeaderId id) const {
    const std::vector<HeaderId> path = Path(id);
    return std::find(path.begin(), path.end(), ancestor) != path.end();
  }
  bool IsInvalid(HeaderId id) const {
    const std::vector<HeaderId> path = Path(id);
    return std::any_of(path.begin(), path.end(), [&](HeaderId at) { return nodes_[at].is_marked; });
  }
  bool IsComplete(HeaderId id) const {
    const std::vector<HeaderId> path = Path(id);
    return std::all_of(path.begin(), path.end(), [&](HeaderId at) { return nodes_[at].is_received; });
  }
  Uint256 Work(HeaderId id) const {
    Uint256 work;
    for (const HeaderId at : Path(id)) work += WorkFromBits(nodes_[at].header.bits);
    return work;
  }
  uint64_t Transactions(HeaderId id) const {
    uint64_t count = 0;
    for (const HeaderId at : Path(id)) count += nodes_[at].transactions;
    return IsComplete(id) ? count : 0;
  }
  int64_t MedianTime(HeaderId id) const {
    std::vector<uint32_t> times;
    for (HeaderId at = id; at != kNoHeader && times.size() < 11; at = nodes_[at].parent) {
      times.push_back(nodes_[at].header.time_s);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
  HeaderId FindPlain(const Hash256& hash) const {
    for (HeaderId id = 0; id < nodes_.size(); ++id) {
      if (nodes_[id].hash == hash) return id;
    }
    return kNoHeader;
  }
  HeaderId BestHeader() const {
    HeaderId best = kGenesisId;
    for (HeaderId id = 0; id < nodes_.size(); ++id) {
      if (!IsInvalid(id) && Work(id) > Work(best)) best = id;
    }
    return best;
  }
  std::vector<HeaderId> Tips() const {
    std::vector<HeaderId> tips;
    for (HeaderId id = 0; id < nodes_.size(); ++id) {
      const bool has_child =
          std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.parent == id; });
      if (!has_child) tips.push_back(id);
    }
    return tips;
  }

  FuzzInput& in_;
  const ChainParams& params_;
  // Less than two hours behind the latest headers, so that some are too new.
  const int64_t now_s_ = 1'296'688'602 + 1000 - 7200;
  HeaderTree tree_;
  ActiveChain active_;
  std::vector<Node> nodes_;
  std::vector<BlockHeader> kept_;
};

void Run(ByteSpan input) {
  FuzzInput in(input);
  Pair pair(in);
  for (int steps = 0; steps < 200 && !in.empty(); ++steps) {
    pair.Step();
    if (steps % 8 == 7) pair.RequireEqual();
  }
  pair.RequireEqual();
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  uint64_t state = 7;
  for (int i = 0; i < 16; ++i) {
    Bytes& input = corpus.emplace_back();
    for (int size = 0; size < 100 + i * 40; ++size) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      input.push_back(static_cast<uint8_t>(state >> 56));
    }
  }
  // One long chain, received from its end to its beginning.
  Bytes& chain = corpus.emplace_back();
  for (int i = 0; i < 60; ++i) chain.insert(chain.end(), {0, 1, 1, 0, 1, 1, 60, 1, static_cast<uint8_t>(i), 1, 1});
  for (int i = 0; i < 60; ++i) chain.insert(chain.end(), {4, 0, static_cast<uint8_t>(i), 3});
  return corpus;
}

FUZZ_TARGET(header_tree, 400, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
