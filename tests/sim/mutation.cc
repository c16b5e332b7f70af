#include "tests/sim/mutation.h"

namespace headrace::sim {
namespace {

bool HasWitness(const std::vector<MutableTransaction>& transactions) {
  for (size_t t = 1; t < transactions.size(); ++t) {
    if (transactions[t].HasWitness()) return true;
  }
  return false;
}

// CVE-2012-2459: with an odd number on some level, repeating the end leaves the Merkle root as it was.
std::vector<MutableTransaction> RepeatEnd(std::vector<MutableTransaction> transactions) {
  size_t group = 1;
  while ((transactions.size() / group) % 2 == 0) group *= 2;
  const size_t begin = transactions.size() - group;
  for (size_t i = 0; i < group; ++i) transactions.push_back(MutableTransaction(transactions[begin + i]));
  return transactions;
}

}  // namespace

SlabRef Mutate(const ModelBlock& block, SimEntropy& entropy) {
  std::vector<MutableTransaction> transactions = block.transactions;
  std::vector<uint8_t> raw(block.raw->bytes().begin(), block.raw->bytes().end());
  switch (entropy.Below(6)) {
    case 0:
      return Slab::Copy(SerializeBlock(block.header, RepeatEnd(std::move(transactions))));
    case 1:
      if (!HasWitness(transactions)) break;
      for (size_t t = 1; t < transactions.size(); ++t) {
        for (TransactionInput& input : transactions[t].inputs) input.witness.clear();
      }
      return Slab::Copy(SerializeBlock(block.header, transactions));
    case 2:
      // A witness where the block has no room for one, or another than was committed to.
      transactions.back().inputs.front().witness.push_back({0x2a});
      return Slab::Copy(SerializeBlock(block.header, transactions));
    case 3:
      raw.resize(81 + entropy.Below(raw.size() - 81));
      return Slab::Copy(raw);
    case 4:
      raw.push_back(0);
      return Slab::Copy(raw);
    default:
      break;
  }
  const size_t at = 80 + entropy.Below(raw.size() - 80);
  raw[at] ^= static_cast<uint8_t>(1u << entropy.Below(8));
  return Slab::Copy(raw);
}

}  // namespace headrace::sim
