// The unspent set as anybody would write it first: one ordered map, one block after another. What the coin store is
// measured against in tests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "engine/primitives/coin.h"
#include "engine/primitives/outpoint.h"

namespace headrace::testing {

struct NaiveCoin {
  Amount amount = 0;
  uint32_t height = 0;
  bool is_coinbase = false;
  std::vector<uint8_t> script;
  bool operator==(const NaiveCoin&) const = default;
};

struct NaiveTransaction {
  struct Output {
    Amount amount = 0;
    std::vector<uint8_t> script;
  };
  Hash256 txid;
  std::vector<OutPoint> inputs;  // none are spent by a block's first transaction
  std::vector<Output> outputs;
};

struct NaiveBlock {
  uint32_t height = 0;
  bool may_overwrite = false;
  std::vector<NaiveTransaction> transactions;
};

class NaiveCoinSet {
 public:
  const std::map<OutPoint, NaiveCoin>& coins() const { return coins_; }

  // The spent coins in input order, the coinbase's inputs left out; nothing when the block breaks a rule, and then the set
  // is as it was.
  std::optional<std::vector<NaiveCoin>> Apply(const NaiveBlock& block) {
    Journal journal;
    std::vector<NaiveCoin> spent;
    // What the block would create although it is there when the block begins. (BIP30)
    std::set<OutPoint> at_start;
    for (const NaiveTransaction& transaction : block.transactions) {
      for (uint32_t index = 0; index < transaction.outputs.size() && !block.may_overwrite; ++index) {
        if (coins_.contains({transaction.txid, index})) at_start.insert({transaction.txid, index});
      }
    }
    for (size_t t = 0; t < block.transactions.size(); ++t) {
      const NaiveTransaction& transaction = block.transactions[t];
      if (t > 0) {
        for (const OutPoint& input : transaction.inputs) {
          const auto found = coins_.find(input);
          if (found == coins_.end()) return Back(journal);
          spent.push_back(found->second);
          journal.push_back({input, found->second});
          coins_.erase(found);
        }
      }
      for (uint32_t index = 0; index < transaction.outputs.size(); ++index) {
        const auto& output = transaction.outputs[index];
        if (IsUnspendable(output.script)) continue;
        const OutPoint outpoint{transaction.txid, index};
        const auto found = coins_.find(outpoint);
        if (at_start.contains(outpoint)) return Back(journal);
        if (found != coins_.end() && !block.may_overwrite) return Back(journal);
        journal.push_back({outpoint, found == coins_.end() ? std::optional<NaiveCoin>() : found->second});
        coins_[outpoint] = {output.amount, block.height, t == 0, output.script};
      }
    }
    return spent;
  }

  void Unapply(const NaiveBlock& block, const std::vector<NaiveCoin>& spent) {
    size_t next = spent.size();
    for (size_t t = block.transactions.size(); t-- > 0;) {
      const NaiveTransaction& transaction = block.transactions[t];
      for (uint32_t index = 0; index < transaction.outputs.size(); ++index) coins_.erase({transaction.txid, index});
      if (t == 0) continue;
      for (size_t i = transaction.inputs.size(); i-- > 0;) coins_[transaction.inputs[i]] = spent[--next];
    }
  }

 private:
  // What stood at an outpoint before it was changed.
  using Journal = std::vector<std::pair<OutPoint, std::optional<NaiveCoin>>>;

  std::nullopt_t Back(const Journal& journal) {
    for (auto entry = journal.rbegin(); entry != journal.rend(); ++entry) {
      if (entry->second) {
        coins_[entry->first] = *entry->second;
      } else {
        coins_.erase(entry->first);
      }
    }
    return std::nullopt;
  }

  std::map<OutPoint, NaiveCoin> coins_;
};

}  // namespace headrace::testing
