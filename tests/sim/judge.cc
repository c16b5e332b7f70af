#include "tests/sim/judge.h"

#include <algorithm>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/sync/peer_fault.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

constexpr uint64_t kTurnsBetweenMemoryChecks = 128;

// The value of `key=` in a log line, up to the next blank or, when it is quoted, to its quote.
std::string ValueOf(std::string_view line, const std::string& key) {
  const size_t at = line.find(absl::StrCat(" ", key, "="));
  if (at == std::string_view::npos) return {};
  std::string_view rest = line.substr(at + key.size() + 2);
  const bool is_quoted = rest.starts_with('"');
  if (is_quoted) rest.remove_prefix(1);
  return std::string(rest.substr(0, rest.find(is_quoted ? '"' : ' ')));
}

// What happens to honest peers on bad wires, and is no accusation.
constexpr std::string_view kInnocentReasons[] = {
    "stalls the block download", "no block within the timeout", "no answer to getheaders", "it ended the connection",
    "it did not complete the handshake", "it did not answer a ping in time", "it said nothing for too long",
    "it asks for more than it reads", "it makes room for another inbound peer",
    // Blocks of a branch that it has left since.
    "does not have the blocks of the headers that it showed"};

// The bytes were not the block's own: whoever sent them answers for it, the block does not.
constexpr std::string_view kMutationReasons[] = {
    "malformed",          "bad-txnmrklroot",          "bad-txns-duplicate",
    "unexpected-witness", "bad-witness-merkle-match", "bad-witness-nonce-size",
    "bad-cb-missing"};

}  // namespace

Judge::Record& Judge::RecordOf(const SimNode& node) {
  const auto number = static_cast<size_t>(node.number());
  if (records_.size() <= number) records_.resize(number + 1);
  return records_[number];
}

void Judge::AfterEngineTurn(SimNode& node) {
  Record& record = RecordOf(node);
  record.applied = node.applied();
  record.durable = node.durable();
  record.publishing = node.publishing();
  if (++record.turns % kTurnsBetweenMemoryChecks == 0) CheckMemory(node);
  const bool is_whole = node.resolved() == record.applied && !node.is_recovering();
  const bool has_moved = record.tip != record.applied.hash;
  if (!has_moved && !(record.must_compare && is_whole)) return;
  const ModelBlock* tip = world_.model().Find(record.applied.hash);
  if (tip == nullptr) tip = world_.model().AddRotten(record.applied.hash, record.applied.height);
  if (tip == nullptr || !tip->is_valid()) {
    return world_.Fail(absl::StrCat("node ", node.number(), " applied block ", record.applied.hash.ToHex(),
                                    " at height ", record.applied.height, ", which ",
                                    tip == nullptr ? "nobody made" : tip->fault));
  }
  if (has_moved) {
    const ModelBlock* before = world_.model().Find(record.tip);
    const ModelBlock* fork = before == nullptr ? tip : LastCommonAncestor(before, tip);
    world_.result().blocks_connected += tip->height - fork->height;
    if (before != nullptr && before->height > fork->height) ++world_.result().reorganisations;
    record.tip = record.applied.hash;
    world_.trace().Add("node ", node.number(), " tip=", tip->hash.ToHex().substr(48), " height=", tip->height);
    world_.Publish(*tip);
    ++record.blocks;
  }
  if (!is_whole) return node.is_recovering() ? void() : CompareTip(node, *tip);
  if (node.coin_count() != tip->figures.coins) {
    return world_.Fail(absl::StrCat("node ", node.number(), " has ", node.coin_count(), " coins after block ",
                                    tip->hash.ToHex(), " at height ", tip->height, "; the model has ",
                                    tip->figures.coins));
  }
  if (record.must_compare || record.blocks % world_.options().compare_every == 0) CompareSets(node, *tip);
}

void Judge::CompareSets(SimNode& node, const ModelBlock& tip) {
  RecordOf(node).must_compare = false;
  ++world_.result().set_comparisons;
  const absl::StatusOr<SetFigures> figures = node.Figures();
  if (!figures.ok() && RecordOf(node).is_rotten) return;
  if (!figures.ok()) return world_.Fail(absl::StrCat("node ", node.number(), ": ", figures.status().message()));
  if (*figures == tip.figures) return;
  world_.Fail(absl::StrCat("node ", node.number(), " has a wrong unspent set after block ", tip.hash.ToHex(),
                           " at height ", tip.height, ": ", figures->coins, " coins where the model has ",
                           tip.figures.coins, ", or the same number of others"));
}

// The store is ahead of the tip: readers must not see that.
void Judge::CompareTip(SimNode& node, const ModelBlock& tip) {
  std::vector<uint8_t> script;
  Coin coin;
  const ModelCoins& coins = world_.model().CoinsAfter(tip);
  const auto check = [&](const OutPoint& outpoint) {
    const absl::StatusOr<bool> found = node.FindCoin(outpoint, coin, script);
    // A rotten segment may be met by a reader first.
    if (!found.ok() && RecordOf(node).is_rotten) return true;
    // Shards of a fuzzy manifest may be ahead of the tip until it reaches the highest.
    if (absl::IsUnavailable(found.status()) && node.has_shards_ahead()) return true;
    if (!found.ok()) return false;
    const auto wanted = coins.find(outpoint);
    if (wanted == coins.end() || !*found) return *found == (wanted != coins.end());
    const ModelCoin& model = wanted->second;
    return coin.amount == model.amount && coin.height == model.height && coin.is_coinbase == model.is_coinbase &&
           std::equal(script.begin(), script.end(), model.script.begin(), model.script.end());
  };
  for (const auto* side : {&tip.spent, &tip.created}) {
    for (const auto& [outpoint, what] : *side) {
      if (check(outpoint)) continue;
      return world_.Fail(absl::StrCat("node ", node.number(), " shows a wrong coin ", outpoint.txid.ToHex(), ":",
                                      outpoint.index, " after block ", tip.hash.ToHex(), " at height ", tip.height));
    }
  }
}

void Judge::OnStarted(SimNode& node) {
  Record& record = RecordOf(node);
  const BlockPoint durable = node.durable();
  const ModelBlock* block = world_.model().Find(durable.hash);
  if (block == nullptr || !block->is_valid()) {
    return world_.Fail(
        absl::StrCat("node ", node.number(), " starts from block ", durable.hash.ToHex(), ", which is not valid"));
  }
  if (record.is_known) {
    const bool is_same = durable == record.durable || durable == record.publishing;
    if (record.is_clean && durable != record.applied) {
      world_.Fail(absl::StrCat("node ", node.number(), " was stopped cleanly at height ", record.applied.height,
                               " and starts from height ", durable.height));
    } else if (!record.is_clean && record.is_certain && !is_same) {
      world_.Fail(absl::StrCat("node ", node.number(), " had published a checkpoint of block ",
                               record.durable.hash.ToHex(), " at height ", record.durable.height,
                               " and starts from height ", durable.height));
    }
    for (const ModelBlock* below = block; below->parent != nullptr; below = below->parent) {
      if (node.HadBlock(below->hash)) continue;
      world_.Fail(absl::StrCat("node ", node.number(), " starts from height ", durable.height,
                               " without the block at height ", below->height));
      break;
    }
  }
  record.tip = node.applied().hash;
  record.applied = node.applied();
  record.durable = durable;
  record.publishing = std::nullopt;
  record.is_known = true;
  record.is_certain = true;
  record.is_clean = false;
  record.must_compare = true;
}

void Judge::OnGone(SimNode& node, bool is_between_turns, bool is_clean) {
  Record& record = RecordOf(node);
  record.is_certain = record.is_certain && is_between_turns;
  // A recovery that was not finished begins again from the same manifest.
  record.is_clean = is_clean && !node.stopped_in_recovery();
  if (is_clean) record.applied = node.stopped_at();
}

void Judge::OnRot(SimNode& node) {
  RecordOf(node).is_rotten = true;
  RecordOf(node).is_known = false;
}

SimNode::Rebuild Judge::OnStatus(SimNode& node, const absl::Status& status) {
  Record& record = RecordOf(node);
  const std::string message(status.message());
  if (message.size() < 20 || !message.ends_with('.') || message.find(' ') == std::string::npos) {
    world_.Fail(absl::StrCat("node ", node.number(), " stopped without a sentence: \"", message, "\""));
  }
  const uint64_t errors = node.disk().counters().errors_injected;
  const bool has_reason = errors != record.errors_seen || record.is_rotten;
  record.errors_seen = errors;
  if (!has_reason) {
    world_.Fail(absl::StrCat("node ", node.number(), " stopped although nothing was wrong with its disk: ", message));
  }
  const bool wants_chainstate = absl::StrContains(message, "-reindex-chainstate");
  const bool wants_everything = !wants_chainstate && absl::StrContains(message, "-reindex");
  if (!wants_chainstate && !wants_everything) return SimNode::Rebuild::kNothing;
  if (!record.is_rotten) {
    world_.Fail(
        absl::StrCat("node ", node.number(), " asks for a rebuild although no stored bit has changed: ", message));
  }
  record.is_known = false;
  return wants_chainstate ? SimNode::Rebuild::kChainstate : SimNode::Rebuild::kEverything;
}

void Judge::CheckMemory(SimNode& node) {
  const NodeOptions& options = node.options().node;
  // What may come in while the limit is met: a turn's worth of messages, a window, and one block.
  constexpr uint64_t kBlockBytesMax = 64 << 10;
  const uint64_t pending_max = 2 * options.download.budget_bytes + node.options().hub.event_bytes_max +
                               options.pipeline.ready_bytes_max + options.pipeline.ahead_bytes_max +
                               2 * options.pipeline.window_bytes_max + 64 * kBlockBytesMax;
  const uint64_t pending = node.Status().bytes_in_flight;
  if (pending > pending_max) {
    world_.Fail(absl::StrCat("node ", node.number(), " holds ", pending, " bytes of blocks, more than ", pending_max));
  }
  for (const PeerStatusNet& peer : node.PeerStatuses()) {
    const uint64_t queued_max = 2 * node.options().hub.send_queue_bytes_max + 2 * BlockServing::kQueuedBytesMax;
    if (peer.queued_bytes <= queued_max) continue;
    world_.Fail(absl::StrCat("node ", node.number(), " holds ", peer.queued_bytes, " bytes for one peer, more than ",
                             queued_max));
  }
}

void Judge::OnLogLine(std::string_view line) {
  if (world_.current() == nullptr) return;
  if (line.starts_with("peer disconnecting")) OnDisconnecting(line);
  if (line.starts_with("block rejected") || line.starts_with("imported block rejected")) OnRejected(line, false);
  if (line.starts_with("header rejected")) OnRejected(line, true);
  if (line.starts_with("a compact block did not come together")) ++world_.result().compact_lies;
  if (line.starts_with("the address book begins empty")) OnBookLost(line);
}

// A crash alone leaves the old book or the new one.
void Judge::OnBookLost(std::string_view line) {
  SimNode& node = *world_.current();
  world_.trace().Add("node ", node.number(), " says: ", std::string(line));
  if (node.has_lost_power() || node.disk().counters().errors_injected != 0) return;
  world_.Fail(absl::StrCat("node ", node.number(), " lost its address book although nothing was wrong with its disk: ",
                           std::string(line)));
}

void Judge::OnDisconnecting(std::string_view line) {
  const std::string because = ValueOf(line, "because");
  const std::string address = ValueOf(line, "address");
  world_.trace().Add("node ", world_.current()->number(), " disconnects ", address, " because ", because);
  if (because == RowOf(PeerFault::kOtherTransactions).sentence) ++world_.result().compact_lies;
  for (const auto& node : world_.nodes()) {
    const std::string host = absl::StrCat(node->options().address.HostText(), ":");
    if (!address.starts_with(host) || RecordOf(*node).is_rotten) continue;
    const bool is_innocent = std::any_of(std::begin(kInnocentReasons), std::end(kInnocentReasons),
                                         [&](std::string_view reason) { return because.starts_with(reason); });
    if (is_innocent) continue;
    world_.Fail(absl::StrCat("node ", world_.current()->number(), " disconnects the honest node ", node->number(), ": ",
                             because));
  }
}

void Judge::OnRejected(std::string_view line, bool is_header) {
  const std::string reason = ValueOf(line, "reason");
  const std::optional<Hash256> hash = Hash256::FromHex(ValueOf(line, "hash"));
  world_.trace().Add("node ", world_.current()->number(), " rejects ", hash ? hash->ToHex().substr(48) : "", " for ",
                     reason);
  const ModelBlock* block = hash ? world_.model().Find(*hash) : nullptr;
  if (block == nullptr || !block->is_valid()) return;
  const bool is_mutation =
      std::find(std::begin(kMutationReasons), std::end(kMutationReasons), reason) != std::end(kMutationReasons);
  if (is_mutation && !is_header) return;
  world_.Fail(absl::StrCat("node ", world_.current()->number(), " rejects the valid block ", hash->ToHex(),
                           " at height ", block->height, ": ", reason));
}

}  // namespace headrace::sim
