#include "tests/interruption/branch_chain.h"

#include <fstream>
#include <random>

#include "engine/base/endian.h"
#include "engine/consensus/chain_params.h"
#include "tests/support/chain_builder.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kMaturity = 100;
constexpr uint32_t kWideBlocks = 100;
// The widest come first: the first checkpoint of an import then has more to write than one step takes, and the import
// goes on between its steps.
constexpr uint32_t kWidestBlocks = 27;
constexpr uint32_t kWidestOutputs = 7000;
constexpr uint32_t kBranchOutputs = 400;
constexpr uint32_t kSpentOfTheBlockBefore = 150;
constexpr uint32_t kForkDepthMin = 5;
constexpr uint32_t kForkDepthMax = 60;

// A block that spreads a coinbase that is mature over `outputs` coins, and gathers some of those that the block before
// made.
void AddWideBlock(ChainBuilder& chain, uint32_t outputs, uint32_t salt) {
  const uint32_t height = chain.height() + 1;
  std::vector<TestTransaction> transactions = {chain.Spend({chain.CoinbaseOf(height - kMaturity)}, outputs)};
  const TestBlock& before = *chain.blocks().back();
  if (before.transactions.size() > 1) {
    std::vector<OutPoint> gathered;
    const Hash256 txid = before.transactions[1].Txid();
    for (uint32_t i = 0; i < kSpentOfTheBlockBefore; ++i) gathered.push_back({txid, i});
    transactions.push_back(chain.Spend(gathered, 2, 1000));
  }
  chain.Add(std::move(transactions), -1, salt);
}

BranchFile Write(const ChainBuilder& chain, uint32_t fork_height, const std::string& path,
                 std::map<Hash256, Bytes>& blocks) {
  std::ofstream file(path, std::ios::binary);
  for (uint32_t height = fork_height + 1; height <= chain.height(); ++height) {
    const TestBlock& block = *chain.blocks()[height - 1];
    const ByteSpan raw = block.raw->bytes();
    uint8_t size[4];
    StoreLittle(size, static_cast<uint32_t>(raw.size()));
    const auto magic = ParamsFor(ChainId::kRegtest).message_magic;
    file.write(reinterpret_cast<const char*>(magic.data()), magic.size());
    file.write(reinterpret_cast<const char*>(size), sizeof(size));
    file.write(reinterpret_cast<const char*>(raw.data()), static_cast<std::streamsize>(raw.size()));
    blocks[block.hash].assign(raw.begin(), raw.end());
  }
  return {path, fork_height, chain.height(), chain.blocks().back()->hash.ToHex(),
          HashSerialized3(chain.coins()).ToHex()};
}

}  // namespace

BranchChains MakeBranchChains(const std::string& directory, uint64_t seed, uint32_t branches) {
  std::mt19937_64 random(seed);
  BranchChains chains;
  ChainBuilder chain;
  while (chain.height() <= kMaturity) chain.Add();
  for (uint32_t i = 0; i < kWideBlocks; ++i)
    AddWideBlock(chain, i < kWidestBlocks ? kWidestOutputs : kBranchOutputs, 0);
  chains.files.push_back(Write(chain, 0, directory + "/base.dat", chains.blocks));
  for (uint32_t branch = 1; branch <= branches; ++branch) {
    const uint32_t depth = std::uniform_int_distribution<uint32_t>(kForkDepthMin, kForkDepthMax)(random);
    const uint32_t longer_by = std::uniform_int_distribution<uint32_t>(1, 6)(random);
    const uint32_t fork_height = chain.height() - depth;
    chain.TruncateTo(fork_height);
    for (uint32_t i = 0; i < depth + longer_by; ++i) AddWideBlock(chain, kBranchOutputs, branch);
    chains.files.push_back(
        Write(chain, fork_height, directory + "/branch" + std::to_string(branch) + ".dat", chains.blocks));
  }
  return chains;
}

}  // namespace headrace::testing
