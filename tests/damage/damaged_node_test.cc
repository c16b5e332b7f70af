// A node on a damaged directory comes to the right unspent set, or refuses or stops with one sentence that names the
// file and what to do, and then that helps. Nothing else: no crash, no hang, no blame for a peer, no wrong coin, no bad
// byte served.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "tests/damage/damage.h"
#include "tests/damage/healthy_directory.h"
#include "tests/reference/quiescent_coin_set.h"
#include "tests/support/node/scripted_peers.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

size_t Rounds() {
  const char* const rounds = std::getenv("HEADRACE_DAMAGE_ROUNDS");
  return rounds == nullptr ? 1 : std::max(1, std::atoi(rounds));
}

// One node's life on a directory: to the tip, asked for every block, over to a better branch that spends everything.
class Life {
 public:
  explicit Life(TestNodeOptions options) : options_(std::move(options)) {
    options_.peers = &peers_;
    peers_.Connect(1, &Healthy().chain()).on_block = [](ByteSpan bytes) {
      const Hash256 hash = BlockHeader::Load(bytes.data()).Hash();
      for (const auto& block : Healthy().chain().blocks()) {
        if (block->hash != hash) continue;
        EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), block->raw->bytes().begin(), block->raw->bytes().end()))
            << "a damaged block was served";
        return;
      }
      ADD_FAILURE() << "something that is no block of the chain was served";
    };
  }

  absl::Status Live() {
    auto node = TestNode::TryStart(options_);
    if (!node.ok()) return node.status();
    node_ = *std::move(node);
    absl::Status status = RunTo(Healthy().chain());
    if (status.ok() && !HasLeftChain()) status = AskForEveryBlock();
    if (status.ok()) peers_.Connect(2, &Healthy().branch());
    if (status.ok()) status = RunTo(Healthy().branch());
    if (status.ok()) status = node_->Shutdown();
    for (const PeerId id : {PeerId{1}, PeerId{2}}) {
      if (id == 2 && !status.ok()) break;
      EXPECT_FALSE(peers_.peer(id).is_disconnected) << "a peer was blamed: " << peers_.peer(id).disconnect_reason;
    }
    return status;
  }

 private:
  absl::Status Turn(bool& moved) {
    const auto turned = node_->Turn();
    if (!turned.ok()) return turned.status();
    moved = *turned;
    if (!moved) std::this_thread::sleep_for(std::chrono::microseconds(50));
    return absl::OkStatus();
  }
  bool IsOnBranch() const { return node_->node().AppliedTip().hash == Healthy().branch().blocks().back()->hash; }
  // An earlier life that ended on its way to the better branch leaves some of its blocks, perhaps more work than the
  // chain has.
  bool HasLeftChain() const {
    const BlockPoint tip = node_->node().AppliedTip();
    const auto is_at = [&](const ChainBuilder& chain) {
      return tip.height > 0 && tip.height <= chain.height() && chain.blocks()[tip.height - 1]->hash == tip.hash;
    };
    return is_at(Healthy().branch()) && !is_at(Healthy().chain());
  }
  // A directory that saw the better branch in an earlier life goes there at once, as far as it has the blocks.
  absl::Status RunTo(const ChainBuilder& wanted) {
    const Hash256 tip = wanted.blocks().back()->hash;
    for (int idle = 0; node_->node().AppliedTip().hash != tip && !IsOnBranch();) {
      bool moved = false;
      if (const absl::Status status = Turn(moved); !status.ok()) return status;
      idle = moved ? 0 : idle + 1;
      if (idle > 1'000 && &wanted == &Healthy().chain() && HasLeftChain()) return absl::OkStatus();
      if (idle < 60'000) continue;
      ADD_FAILURE() << "stands still at height " << node_->node().AppliedTip().height;
      return absl::OkStatus();
    }
    const ChainBuilder& chain = IsOnBranch() ? Healthy().branch() : wanted;
    // A disk that lost a page of the set may say so here.
    const auto statistics = QuiescentStatistics(node_->coin_files());
    if (!statistics.ok()) return statistics.status();
    EXPECT_EQ(statistics->coins, chain.coins().size());
    EXPECT_EQ(statistics->hash_serialized, HashSerialized3(chain.coins()));
    return absl::OkStatus();
  }
  absl::Status AskForEveryBlock() {
    for (const uint32_t type : {uint32_t{kInvBlock}, kInvBlock | kInvWitnessFlag}) {
      GetDataReceived question{1, {}};
      for (const auto& block : Healthy().chain().blocks()) question.items.push_back({type, block->hash});
      const size_t before = peers_.peer(1).blocks_sent.size();
      peers_.Say(question);
      for (int idle = 0; idle < 200 && peers_.peer(1).blocks_sent.size() < before + question.items.size(); ++idle) {
        bool moved = false;
        if (const absl::Status status = Turn(moved); !status.ok()) return status;
      }
      EXPECT_EQ(peers_.peer(1).blocks_sent.size(), before + question.items.size());
    }
    return absl::OkStatus();
  }

  TestNodeOptions options_;
  ScriptedPeers peers_;
  std::unique_ptr<TestNode> node_;
};

enum class Remedy { kReindex, kReindexChainstate, kPutBack, kNone };

Remedy RemedyOf(const std::string& sentence) {
  if (sentence.find("-reindex-chainstate") != std::string::npos) return Remedy::kReindexChainstate;
  if (sentence.find("-reindex") != std::string::npos) return Remedy::kReindex;
  for (const char* const words : {"another data directory", "newer program", "a newer headrace",
                                  "point -datadir elsewhere", "put a regular file there"}) {
    if (sentence.find(words) != std::string::npos) return Remedy::kPutBack;
  }
  return Remedy::kNone;
}

// By family of files and kind of damage: how often, and how often the node refused or stopped.
struct Count {
  size_t cases = 0;
  size_t refused = 0;
};
using Table = std::map<std::string, std::array<Count, kDamageKinds>>;

void Print(const std::string& title, const Table& table) {
  size_t cases = 0, refused = 0;
  std::printf("%s: cases/refused\n%-16s", title.c_str(), "");
  for (size_t kind = 0; kind < kDamageKinds; ++kind) std::printf("%11s", DamageKindName(static_cast<DamageKind>(kind)));
  for (const auto& [family, counts] : table) {
    std::printf("\n%-16s", family.c_str());
    for (const Count& count : counts) {
      std::printf("%11s", (std::to_string(count.cases) + "/" + std::to_string(count.refused)).c_str());
      cases += count.cases;
      refused += count.refused;
    }
  }
  std::printf("\n%zu damages: the node went on with the right result after %zu and refused or stopped after %zu\n",
              cases, cases - refused, refused);
}

std::string FamilyOf(const std::string& name) {
  const std::string file = fs::path(name).filename().string();
  return file.substr(0, file.find_first_of("0123456789-"));
}

class DamagedNode : public ::testing::TestWithParam<bool> {
 protected:
  static void ExpectSentence(const std::string& sentence, const std::string& directory) {
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << sentence;
    EXPECT_TRUE(sentence.ends_with(".")) << sentence;
    EXPECT_NE(sentence.find(directory), std::string::npos) << "names no file: " << sentence;
  }

  // True when the node refused or stopped.
  static bool TryOne(const std::string& healthy, const DamageSource& source, const Damage& damage) {
    const std::string directory = Healthy().NewPath();
    CopyDirectory(healthy, directory);
    const std::string path = directory + "/" + source.name;
    damage.inflict(path);
    TestNodeOptions options = Healthy().Options(directory);
    const absl::Status status = Life(options).Live();
    if (!status.ok()) {
      const std::string sentence(status.message());
      ExpectSentence(sentence, directory);
      const Remedy remedy = RemedyOf(sentence);
      EXPECT_NE(remedy, Remedy::kNone) << "says nothing to do: " << sentence;
      options.reindex = remedy == Remedy::kReindex;
      options.reindex_chainstate = options.reindex || remedy == Remedy::kReindexChainstate;
      if (remedy == Remedy::kPutBack) {
        fs::remove_all(path);
        WriteBytes(path, source.bytes);
      }
      const absl::Status after = Life(options).Live();
      EXPECT_TRUE(after.ok()) << "the remedy of \"" << sentence << "\" does not help: " << after;
    }
    fs::remove_all(directory);
    return !status.ok();
  }
};

INSTANTIATE_TEST_SUITE_P(States, DamagedNode, ::testing::Values(false, true),
                         [](const auto& is_killed) { return is_killed.param ? "Killed" : "Clean"; });

TEST_P(DamagedNode, HealthyIsFine) {
  const std::string directory = Healthy().NewPath();
  CopyDirectory(GetParam() ? Healthy().killed() : Healthy().clean(), directory);
  const absl::Status status = Life(Healthy().Options(directory)).Live();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(DamagedNode, EveryFileInEveryWay) {
  const std::string healthy = GetParam() ? Healthy().killed() : Healthy().clean();
  std::mt19937_64 random(GetParam() ? 21 : 20);
  Table table;
  for (const DamageSource& source : Healthy().Sources(healthy)) {
    for (const Damage& damage : DamagesOf(source, Rounds(), random)) {
      SCOPED_TRACE(source.name + ": " + damage.what);
      Count& count = table[FamilyOf(source.name)][static_cast<size_t>(damage.kind)];
      ++count.cases;
      count.refused += TryOne(healthy, source, damage);
      // A hundred failures of one cause teach no more than a few.
      const auto& result = *::testing::UnitTest::GetInstance()->current_test_info()->result();
      ASSERT_LT(result.total_part_count(), 40);
    }
  }
  Print(GetParam() ? "killed" : "stopped cleanly", table);
  EXPECT_GE(table.size(), 5u) << "files of some kind were not there";
}

}  // namespace
}  // namespace headrace::testing
