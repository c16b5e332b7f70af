#include "tests/damage/healthy_directory.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "engine/consensus/chain_params.h"
#include "engine/runtime/tbb_executor.h"
#include "tests/support/node/scripted_peers.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kOlderHeight = 112;
constexpr uint32_t kBlockFileBytes = 8000;

// Before the first temporary directory is made.
bool PreferMemory() {
  if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 0);
  return true;
}
const bool g_prefers_memory = PreferMemory();

ChainBuilder MakeChain() {
  ChainBuilder chain;
  for (int i = 0; i < 110; ++i) chain.Add();
  for (uint32_t i = 1; i <= 20; ++i) chain.Add({chain.Spend({chain.CoinbaseOf(i)}, 4, 1000)});
  return chain;
}

ChainBuilder MakeBranch(const ChainBuilder& chain) {
  ChainBuilder branch = chain;
  branch.TruncateTo(chain.height() - 15);
  for (uint32_t i = 0; i < 17; ++i) {
    std::vector<OutPoint> mature;
    for (const auto& [outpoint, coin] : branch.coins()) {
      if (!coin.is_coinbase || coin.height + 101 < branch.height()) mature.push_back(outpoint);
    }
    if (mature.empty()) {
      branch.Add({}, -1, 7);
    } else {
      branch.Add({branch.Spend(mature, 3)}, -1, 7);
    }
  }
  return branch;
}

}  // namespace

HealthyDirectories& Healthy() {
  static HealthyDirectories directories;
  return directories;
}

HealthyDirectories::HealthyDirectories()
    : executor_(MakeTbbExecutor(2)), chain_(MakeChain()), branch_(MakeBranch(chain_)) {
  clean_height_ = chain_.height() - 5;
  Make(older(), kOlderHeight, false);
  CopyDirectory(older(), clean());
  Make(clean(), clean_height_, false);
  CopyDirectory(clean(), home_.File("running"));
  Make(home_.File("running"), chain_.height() - 2, true);
  Make(other_store(), clean_height_, false, 2);
  const ChainParams& signet = ParamsFor(ChainId::kSignet);
  TestNodeOptions options = Options(other_network());
  options.params = &signet;
  TestNode node(options);
  node.RunUntilQuiet();
  if (!node.Shutdown().ok()) throw std::runtime_error("the directory of another network could not be made");
}

void HealthyDirectories::Make(const std::string& directory, uint32_t to_height, bool is_killed,
                              uint32_t entropy_seed) const {
  ScriptedPeers peers;
  ChainBuilder part = chain_;
  part.TruncateTo(to_height);
  peers.Connect(1, &part);
  TestNodeOptions options = Options(directory);
  options.entropy_seed = entropy_seed;
  options.peers = &peers;
  TestNode node(options);
  node.RunUntil([&] { return node.node().AppliedTip().height == to_height; });
  if (is_killed) {
    node.RunUntilQuiet();
    // What was handed over is in the files: as when the process is killed, and not as when the power fails.
    CopyDirectory(directory, killed());
  }
  if (!node.Shutdown().ok()) throw std::runtime_error("a healthy directory could not be made");
}

TestNodeOptions HealthyDirectories::Options(const std::string& directory) const {
  TestNodeOptions options;
  options.directory = directory;
  options.executor = executor_.get();
  options.block_file_bytes_max = kBlockFileBytes;
  return options;
}

std::vector<DamageSource> HealthyDirectories::Sources(const std::string& directory) const {
  std::vector<DamageSource> sources;
  for (const std::string folder : {"blocks", "coins"}) {
    for (const auto& entry : fs::directory_iterator(directory + "/" + folder)) {
      DamageSource source{folder + "/" + entry.path().filename().string(), ReadBytes(entry.path().string()), {}};
      source.strangers["an empty file"] = {};
      source.strangers["a line of text"] = {'h', 'e', 'l', 'l', 'o', '\n'};
      const std::pair<std::string, std::string> others[] = {{"an older state's", older()},
                                                            {"a newer state's", killed()},
                                                            {"another store's", other_store()},
                                                            {"another network's", other_network()}};
      for (const auto& [what, other] : others) {
        const std::string same = other + "/" + source.name;
        if (fs::exists(same)) source.strangers[what] = ReadBytes(same);
      }
      // Serials differ between stores: any file of the family will do.
      const std::string family = entry.path().filename().string().substr(0, 5);
      for (const auto& stranger : fs::directory_iterator(other_store() + "/" + folder)) {
        if (!stranger.path().filename().string().starts_with(family)) continue;
        source.strangers["another store's " + stranger.path().filename().string()] =
            ReadBytes(stranger.path().string());
      }
      sources.push_back(std::move(source));
    }
  }
  std::sort(sources.begin(), sources.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return sources;
}

void CopyDirectory(const std::string& from, const std::string& to) {
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}

}  // namespace headrace::testing
