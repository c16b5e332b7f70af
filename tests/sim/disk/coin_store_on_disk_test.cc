// Checkpoints of the coin store on a disk that fails at each of their operations in turn: where worlds meet such a
// moment by chance, every one of them is visited here.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/coins/flat_coin_store.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"
#include "tests/storage/coins/coin_world.h"

namespace headrace::sim {
namespace {

using testing::CoinWorld;
using testing::WorldBlock;
using BlockWindow = std::vector<std::shared_ptr<WorldBlock>>;

constexpr char kCoins[] = "/coins";

// Two windows: the second spends most of what the first made, so that its checkpoint replaces segments as well.
struct History {
  History() : world(3, 4 << 20) {
    world.ApplyRandom(4, 0, 120);
    first = world.chain();
    world.ApplyRandom(4, 110, 30);
    second = {world.chain().begin() + static_cast<ptrdiff_t>(first.size()), world.chain().end()};
  }
  BlockPoint PointOf(const BlockWindow& window) const { return {window.back()->hash, window.back()->naive.height}; }

  CoinWorld world;
  BlockWindow first;
  BlockWindow second;
};

// A machine whose store has published a checkpoint of the first window and holds the second.
class CoinMachine {
 public:
  CoinMachine(History& history, uint64_t seed) : history_(history), disk_(SimEntropy(seed), wakeup_) {
    files_ = std::make_unique<SimFileSystem>(disk_);
    EXPECT_TRUE(Open().ok());
    Apply(history_.first);
    EXPECT_TRUE(store_->FinishCheckpoint().ok());
    Apply(history_.second);
  }
  ~CoinMachine() {
    store_.reset();
    disk_.FailPower();
  }

  absl::Status Open() {
    store_.reset();
    CoinStoreOptions options = history_.world.Options(kCoins);
    options.files = files_.get();
    absl::StatusOr<std::unique_ptr<FlatCoinStore>> opened = OpenCoinStore(options);
    if (opened.ok()) store_ = *std::move(opened);
    return opened.status();
  }
  void Apply(const BlockWindow& window) {
    history_.world.ApplyToStore(*store_, window, false);
    store_->SetApplied(store_->resolved());
  }
  // What was not durable is gone; a killed process leaves what it had written.
  absl::Status FailPowerAndOpen() {
    store_.reset();
    disk_.FailPower();
    return SwitchOn();
  }
  absl::Status KillAndOpen() {
    store_.reset();
    disk_.Kill();
    return SwitchOn();
  }
  // The store stands at one of its two checkpoints, and goes on from there to what the naive set holds.
  void ExpectWhole(bool second_is_promised) {
    const BlockPoint durable = store_->durable();
    const bool has_second = durable == history_.PointOf(history_.second);
    EXPECT_TRUE(has_second || (!second_is_promised && durable == history_.PointOf(history_.first)))
        << "the store starts from height " << durable.height;
    if (!has_second) Apply(history_.second);
    history_.world.ExpectEqual(*store_);
  }

  SimDisk& disk() { return disk_; }
  FlatCoinStore& store() { return *store_; }

 private:
  absl::Status SwitchOn() {
    files_ = std::make_unique<SimFileSystem>(disk_);
    return Open();
  }

  History& history_;
  Wakeup wakeup_;
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<FlatCoinStore> store_;
};

class CoinStoreOnDiskTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSeeds = 8;
  // Copying the shards is one write after another, of which some will do; what follows them is visited wholly.
  static constexpr uint64_t kEveryOperation = 60;
  static constexpr uint64_t kStep = 61;

  uint64_t OperationsOfACheckpoint() {
    CoinMachine machine(history_, 1);
    const uint64_t before = machine.disk().counters().operations;
    EXPECT_TRUE(machine.store().FinishCheckpoint().ok());
    return machine.disk().counters().operations - before;
  }
  void AtOperations(const std::function<void(uint64_t operation, uint64_t seed)>& body) {
    const uint64_t count = OperationsOfACheckpoint();
    ASSERT_GT(count, kEveryOperation);
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      for (uint64_t operation = 1; operation <= count; operation += operation + kEveryOperation < count ? kStep : 1) {
        SCOPED_TRACE(::testing::Message() << "operation " << operation << " of " << count << ", seed " << seed);
        body(operation, seed);
        if (HasFailure()) return;
      }
    }
  }

  History history_;
};

TEST_F(CoinStoreOnDiskTest, ThePowerFailsAtAnyOperationOfACheckpoint) {
  AtOperations([&](uint64_t operation, uint64_t seed) {
    CoinMachine machine(history_, seed);
    machine.disk().FailPowerAfter(operation);
    const bool is_published = machine.store().FinishCheckpoint().ok();
    const absl::Status opened = machine.FailPowerAndOpen();
    ASSERT_TRUE(opened.ok()) << opened;
    machine.ExpectWhole(is_published);
  });
}

// Whoever starts after a kill deletes what no manifest names, which must not take away what an older manifest needs.
TEST_F(CoinStoreOnDiskTest, ThePowerFailsWhenAKilledCheckpointHasBeenTidiedAway) {
  AtOperations([&](uint64_t operation, uint64_t seed) {
    CoinMachine machine(history_, seed);
    machine.disk().KillAfter(operation);
    const bool is_published = machine.store().FinishCheckpoint().ok();
    const absl::Status after_kill = machine.KillAndOpen();
    ASSERT_TRUE(after_kill.ok()) << after_kill;
    const absl::Status after_failure = machine.FailPowerAndOpen();
    ASSERT_TRUE(after_failure.ok()) << after_failure;
    machine.ExpectWhole(is_published);
  });
}

// After a failed sync the medium lacks what was written, and a manifest must not name it.
TEST_F(CoinStoreOnDiskTest, AnyOperationOfACheckpointFails) {
  AtOperations([&](uint64_t operation, uint64_t seed) {
    CoinMachine machine(history_, seed);
    machine.disk().FailAt(operation);
    const bool is_published = machine.store().FinishCheckpoint().ok();
    const absl::Status opened = machine.FailPowerAndOpen();
    ASSERT_TRUE(opened.ok()) << opened;
    machine.ExpectWhole(is_published);
  });
}

// When a manifest's replacement fails at its end, the directory has the new one, and giving the checkpoint up must leave what that
// names.
TEST_F(CoinStoreOnDiskTest, AnyOperationFailsOfACheckpointThatIsThenGivenUp) {
  AtOperations([&](uint64_t operation, uint64_t seed) {
    CoinMachine machine(history_, seed);
    machine.disk().FailAt(operation);
    if (machine.store().FinishCheckpoint().ok()) return;
    testing::WorldWindow window(history_.second);
    window.FillSpent(history_.second);
    // What could not be written may be told again; then the node stops as it does after any failure.
    const absl::Status unapplied = machine.store().Unapply(window.blocks, history_.PointOf(history_.first));
    if (unapplied.ok()) {
      EXPECT_FALSE(machine.store().checkpoint_under_way());
    }
    const absl::Status opened = machine.FailPowerAndOpen();
    ASSERT_TRUE(opened.ok()) << opened;
    machine.ExpectWhole(false);
  });
}

// Neither publishing nor deleting waits: the disk does it while windows go on.
TEST_F(CoinStoreOnDiskTest, AStepOfACheckpointNeverWaits) {
  CoinMachine machine(history_, 1);
  const uint64_t published = machine.store().counters().checkpoints;
  ASSERT_TRUE(machine.store().BeginCheckpoint().ok());
  uint64_t quiet_steps = 0;
  while (machine.store().checkpoint_under_way()) {
    const uint64_t syncs = machine.disk().counters().syncs;
    const uint64_t written = machine.disk().counters().bytes_written;
    ASSERT_TRUE(machine.store().StepCheckpoint().ok());
    ASSERT_EQ(machine.disk().counters().syncs, syncs) << "a step has waited for a sync";
    ASSERT_EQ(machine.disk().counters().bytes_written, written) << "a step has waited for a write";
    if (!machine.disk().Step()) ++quiet_steps;
    ASSERT_LT(quiet_steps, 100u);
  }
  EXPECT_EQ(machine.store().counters().checkpoints, published + 1);
  while (machine.disk().Step()) {
  }
  ASSERT_TRUE(machine.FailPowerAndOpen().ok());
  machine.ExpectWhole(true);
}

// The disk moves only when it is turned: a step that waited would turn it.
TEST_F(CoinStoreOnDiskTest, AScrubNeverWaitsAndFindsWhatRots) {
  CoinMachine machine(history_, 1);
  ASSERT_TRUE(machine.store().FinishCheckpoint().ok());
  machine.disk().ForgetOneIn(2);
  const auto round = [&]() -> absl::Status {
    FlatCoinStore& store = machine.store();
    for (store.BeginScrub(); store.scrub_under_way(); machine.disk().Step()) {
      const uint64_t read_bytes = store.counters().scrub_bytes;
      const absl::Status status = store.StepScrub();
      if (!status.ok()) return status;
      // With its read still to come, another step has nothing to check.
      if (!store.scrub_under_way()) break;
      EXPECT_TRUE(machine.disk().has_work());
      const uint64_t after = store.counters().scrub_bytes;
      EXPECT_LE(after - read_bytes, uint64_t{4} << 20);
      EXPECT_TRUE(store.StepScrub().ok());
      EXPECT_EQ(store.counters().scrub_bytes, after);
    }
    return absl::OkStatus();
  };
  EXPECT_TRUE(round().ok());
  EXPECT_EQ(machine.store().counters().scrub_rounds, 1u);
  EXPECT_EQ(machine.store().counters().scrub_bytes, machine.disk().used_bytes());
  const std::vector<std::string> names = machine.disk().List(kCoins);
  EXPECT_GE(names.size(), 3u);
  for (const std::string& name : names) {
    const std::string path = std::string(kCoins) + "/" + name;
    const std::shared_ptr<SimFile> file = machine.disk().Find(path);
    const uint64_t at = file->size() / 2;
    const auto flip = [&] {
      const std::vector<uint8_t> byte{static_cast<uint8_t>(file->live()[at] ^ 16)};
      file->Write(at, byte);
    };
    flip();
    const absl::Status status = round();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << path << ": " << status;
    EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
    flip();
  }
  EXPECT_TRUE(round().ok());
  // A read that fails is the disk's failure, and no damage.
  machine.disk().FailAt(20);
  const absl::Status status = round();
  EXPECT_NE(status.message().find("Input/output error"), absl::string_view::npos) << status;
  EXPECT_EQ(status.message().find("is damaged"), absl::string_view::npos) << status;
  history_.world.ExpectEqual(machine.store());
}

// Wherever the disk is with the new manifest, and whenever the engine looks: neither of the two is damage.
TEST_F(CoinStoreOnDiskTest, AScrubWaitsForAManifestOnItsWayToItsPlace) {
  uint64_t turns_needed = 0;
  for (uint64_t turns_before = 0; turns_before <= turns_needed; ++turns_before) {
    CoinMachine machine(history_, 1);
    FlatCoinStore& store = machine.store();
    ASSERT_TRUE(store.BeginCheckpoint().ok());
    for (uint64_t steps = 0; store.publishing() == nullptr; ++steps) {
      ASSERT_LT(steps, 10'000u);
      machine.disk().Step();
      ASSERT_TRUE(store.StepCheckpoint().ok());
    }
    uint64_t turns = 0;
    while (turns < turns_before && machine.disk().Step()) ++turns;
    store.BeginScrub();
    const auto turn_and_scrub = [&] {
      const bool has_turned = machine.disk().Step();
      const absl::Status scrubbed = store.StepScrub();
      EXPECT_TRUE(scrubbed.ok()) << "the scrub began after " << turns_before << " turns: " << scrubbed;
      return has_turned;
    };
    while (turn_and_scrub()) ++turns;
    EXPECT_NE(store.publishing(), nullptr) << "the engine has not looked yet";
    for (uint64_t step = 0; step < 400; ++step) turn_and_scrub();
    turns_needed = turns;
    while (store.checkpoint_under_way()) ASSERT_TRUE(store.StepCheckpoint().ok());
    for (store.BeginScrub(); store.scrub_under_way();) turn_and_scrub();
    EXPECT_EQ(store.counters().scrub_rounds, 1u);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(turns_needed, 2u);
}

TEST_F(CoinStoreOnDiskTest, ACheckpointBeginsOnlyWhereThereIsRoomForIt) {
  CoinMachine machine(history_, 1);
  const uint64_t used = machine.disk().used_bytes();
  machine.disk().SetCapacity(used + (uint64_t{4} << 20));
  const uint64_t written = machine.disk().counters().bytes_written;
  const absl::Status status = machine.store().FinishCheckpoint();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(machine.disk().counters().bytes_written, written);
  EXPECT_EQ(machine.store().durable(), history_.PointOf(history_.first));
  machine.disk().SetCapacity(used + (uint64_t{64} << 20));
  EXPECT_TRUE(machine.store().FinishCheckpoint().ok());
  const absl::Status opened = machine.FailPowerAndOpen();
  ASSERT_TRUE(opened.ok()) << opened;
  machine.ExpectWhole(true);
}

}  // namespace
}  // namespace headrace::sim
