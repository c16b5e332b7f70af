// The block store on a disk that fails at each of its operations in turn: whatever a sync promised is there afterwards,
// and what it did not promise is either whole or gone.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "storage/blocks/flat_block_store.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"

namespace headrace::sim {
namespace {

constexpr NetworkMagic kMagic = {0xfa, 0xbf, 0xb5, 0xda};
constexpr char kBlocks[] = "/blocks";

BlockHeader HeaderAfter(const Hash256& previous, uint32_t nonce) {
  BlockHeader header;
  header.version = 4;
  header.previous = previous;
  header.nonce = nonce;
  return header;
}

// A machine with a block store, and what was put into it. All that happens follows from the seed.
class BlockMachine {
 public:
  explicit BlockMachine(uint64_t seed)
      : random_(seed), genesis_(HeaderAfter(Hash256(), 0)), disk_(SimEntropy(seed), wakeup_) {
    files_ = std::make_unique<SimFileSystem>(disk_);
  }
  ~BlockMachine() { FailPower(); }

  absl::Status Open() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<FlatBlockStore>> opened = FlatBlockStore::Open(*files_, Options());
    if (opened.ok()) store_ = *std::move(opened);
    return opened.status();
  }
  // A day in a store's life, up to its end or to the first failure.
  absl::Status Live() {
    if (const absl::Status status = Open(); !status.ok()) return status;
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 5; ++i) {
        if (const absl::Status status = Add(); !status.ok()) return status;
        for (uint64_t steps = random_() % 9; steps != 0; --steps) disk_.Step();
      }
      if (const absl::Status status = Sync(); !status.ok()) return status;
    }
    return Add();
  }
  absl::Status Sync() {
    const absl::Status status = store_->Sync();
    if (status.ok()) promised_ = chain_.size();
    return status;
  }
  // As the engine does after a start: blocks that were found again get their records, and a sync promises them.
  absl::Status TakeUpStraysAndSync() {
    std::vector<BlockRecord> records(store_->records().begin(), store_->records().end());
    std::set<size_t> found;
    for (const RecoveredBlock& stray : store_->recovered_blocks()) {
      for (size_t id = 1; id < records.size(); ++id) {
        if (records[id].header.Hash() != stray.hash) continue;
        records[id].data = stray.position;
        records[id].transaction_count = 1;
        if (const absl::Status status = store_->PutRecord(static_cast<BlockRecordId>(id), records[id]); !status.ok())
          return status;
        found.insert(id);
      }
    }
    const absl::Status status = store_->Sync();
    if (status.ok()) promised_strays_.merge(found);
    return status;
  }
  // The index is thrown away, and every block gets a new record from where it was found: first the later half, which a sync
  // promises, as when the first ones are the last to be checked.
  absl::Status Rebuild(uint64_t operations_before_the_power_fails) {
    store_.reset();
    disk_.FailPowerAfter(operations_before_the_power_fails);
    if (const absl::Status status = FlatBlockStore::ForgetIndex(*files_, Options()); !status.ok()) return status;
    if (const absl::Status status = Open(); !status.ok()) return status;
    std::map<Hash256, BlockPosition> found;
    for (const RecoveredBlock& stray : store_->recovered_blocks()) found[stray.hash] = stray.position;
    const auto put = [&](size_t first, size_t last, bool is_found) {
      for (size_t id = first; id <= last; ++id) {
        BlockRecord record;
        record.header = chain_[id - 1].header;
        if (is_found) record.data = found[record.header.Hash()];
        if (is_found) record.transaction_count = 1;
        const absl::Status status = store_->PutRecord(static_cast<BlockRecordId>(id), record);
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    };
    const size_t half = promised_ / 2;
    if (const absl::Status status = put(1, promised_, false); !status.ok()) return status;
    if (const absl::Status status = put(half + 1, promised_, true); !status.ok()) return status;
    if (const absl::Status status = store_->Sync(); !status.ok()) return status;
    if (const absl::Status status = put(1, half, true); !status.ok()) return status;
    return store_->ForgetStrays();
  }
  // Every promised block has a record or is found again.
  void ExpectBlocksFound() {
    std::set<Hash256> known;
    for (const BlockRecord& record : store_->records()) {
      if (record.data.exists()) known.insert(record.header.Hash());
    }
    for (const RecoveredBlock& stray : store_->recovered_blocks()) known.insert(stray.hash);
    for (size_t i = 0; i < promised_; ++i) ASSERT_TRUE(known.contains(chain_[i].header.Hash())) << i + 1;
  }
  // What was appended and is not in the files waits in memory, where its only copy is.
  void ExpectReadable() {
    if (store_ == nullptr) return;
    for (size_t i = 0; i < chain_.size(); ++i) {
      const Stored& stored = chain_[i];
      const absl::StatusOr<SharedBytes> block = store_->Map(stored.record.data);
      ASSERT_TRUE(block.ok()) << i + 1 << ": " << block.status();
      ASSERT_TRUE(std::ranges::equal(block->bytes, stored.block->bytes())) << i + 1;
      const absl::StatusOr<SharedBytes> undo = store_->ReadUndo(stored.record.undo, stored.header.Hash());
      ASSERT_TRUE(undo.ok()) << i + 1 << ": " << undo.status();
      ASSERT_TRUE(std::ranges::equal(undo->bytes, stored.undo)) << i + 1;
    }
  }
  // Before the store is closed, which would sync.
  void FailPower() {
    disk_.FailPower();
    store_.reset();
    disk_.FailPowerAfter(0);
  }
  void SwitchOn() {
    store_.reset();
    files_ = std::make_unique<SimFileSystem>(disk_);
  }

  void ExpectWhole() {
    const std::span<const BlockRecord> records = store_->records();
    ASSERT_GE(records.size(), promised_ + 1);
    ASSERT_LE(records.size(), chain_.size() + 1);
    for (size_t id = 1; id < records.size(); ++id) {
      const BlockRecord& record = records[id];
      const Stored& stored = chain_[id - 1];
      ASSERT_TRUE(record.header == stored.header) << id;
      if (id <= promised_) {
        ASSERT_TRUE(record.data.exists() && record.undo.exists()) << id << " of " << promised_;
      }
      if (promised_strays_.contains(id)) {
        ASSERT_TRUE(record.data.exists()) << id;
      }
      // Every record but the last was put twice, and the second time counts.
      if (id < promised_) {
        ASSERT_NE(record.status & kBlockScriptsVerified, 0u) << id << " of " << promised_;
      }
      if (record.data.exists()) {
        const absl::StatusOr<SharedBytes> block = store_->Map(record.data);
        ASSERT_TRUE(block.ok()) << block.status();
        ASSERT_TRUE(std::ranges::equal(block->bytes, stored.block->bytes())) << id;
      }
      if (record.undo.exists()) {
        const absl::StatusOr<SharedBytes> undo = store_->ReadUndo(record.undo, record.header.Hash());
        ASSERT_TRUE(undo.ok()) << undo.status();
        ASSERT_TRUE(std::ranges::equal(undo->bytes, stored.undo)) << id;
      }
    }
  }

  SimDisk& disk() { return disk_; }
  size_t promised() const { return promised_; }

 private:
  struct Stored {
    BlockHeader header;
    SlabRef block;
    std::vector<uint8_t> undo;
    BlockRecord record;
  };

  FlatBlockStore::Options Options() const {
    // Files are so small that a few blocks fill one.
    return {.directory = kBlocks,
            .magic = kMagic,
            .genesis = genesis_,
            .file_bytes_max = 2'500,
            .queued_bytes_max = 1 << 20};
  }
  absl::Status Add() {
    Stored stored;
    const auto number = static_cast<uint32_t>(chain_.size() + 1);
    stored.header = HeaderAfter(chain_.empty() ? genesis_.Hash() : chain_.back().header.Hash(), number);
    const auto slab = std::make_shared<Slab>(200 + random_() % 900);
    for (uint8_t& byte : slab->writable()) byte = static_cast<uint8_t>(random_());
    stored.header.Store(slab->writable().data());
    stored.block = slab;
    stored.undo.resize(1 + random_() % 900);
    for (uint8_t& byte : stored.undo) byte = static_cast<uint8_t>(random_());

    const absl::StatusOr<BlockPosition> data = store_->AppendBlock(stored.block);
    if (!data.ok()) return data.status();
    const absl::StatusOr<BlockPosition> undo = store_->AppendUndo(stored.header.Hash(), stored.undo);
    if (!undo.ok()) return undo.status();
    stored.record.header = stored.header;
    stored.record.data = *data;
    stored.record.undo = *undo;
    stored.record.transaction_count = 1;
    chain_.push_back(stored);
    if (const absl::Status status = store_->PutRecord(number, stored.record); !status.ok() || number == 1)
      return status;
    BlockRecord& previous = chain_[number - 2].record;
    previous.status |= kBlockScriptsVerified;
    return store_->PutRecord(number - 1, previous);
  }

  std::mt19937_64 random_;
  const BlockHeader genesis_;
  Wakeup wakeup_;
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<FlatBlockStore> store_;
  std::vector<Stored> chain_;
  size_t promised_ = 0;  // so many, and those that were found again
  std::set<size_t> promised_strays_;
};

class BlockStoreOnDiskTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kSeeds = 12;

  static void AtEveryOperation(const std::function<void(BlockMachine& machine, uint64_t operation)>& body) {
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      uint64_t count = 1;
      for (uint64_t operation = 1; operation <= count; ++operation) {
        SCOPED_TRACE(::testing::Message() << "operation " << operation << ", seed " << seed);
        if (operation == 1) {
          BlockMachine whole(seed);
          ASSERT_TRUE(whole.Live().ok());
          EXPECT_EQ(whole.promised(), 15u);
          count = whole.disk().counters().operations;
        }
        BlockMachine machine(seed);
        body(machine, operation);
        if (HasFailure()) return;
      }
    }
  }
  static void ExpectWholeAtNextStart(BlockMachine& machine) {
    machine.SwitchOn();
    const absl::Status opened = machine.Open();
    ASSERT_TRUE(opened.ok()) << opened;
    machine.ExpectWhole();
  }
};

TEST_F(BlockStoreOnDiskTest, ThePowerFailsAtAnyOperation) {
  AtEveryOperation([](BlockMachine& machine, uint64_t operation) {
    machine.disk().FailPowerAfter(operation);
    machine.Live().IgnoreError();
    machine.FailPower();
    ExpectWholeAtNextStart(machine);
  });
}

// What a killed process left counts as durable from the next sync on, however little was written since.
TEST_F(BlockStoreOnDiskTest, ThePowerFailsAfterTheSyncThatFollowsAKill) {
  AtEveryOperation([](BlockMachine& machine, uint64_t operation) {
    machine.disk().KillAfter(operation);
    machine.Live().IgnoreError();
    ExpectWholeAtNextStart(machine);
    ASSERT_TRUE(machine.TakeUpStraysAndSync().ok());
    machine.FailPower();
    ExpectWholeAtNextStart(machine);
  });
}

TEST_F(BlockStoreOnDiskTest, ARebuildThatLosesPowerFindsItsBlocksAgain) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    bool is_done = false;
    for (uint64_t operation = 1; !is_done; ++operation) {
      SCOPED_TRACE(::testing::Message() << "operation " << operation << ", seed " << seed);
      BlockMachine machine(seed);
      ASSERT_TRUE(machine.Live().ok());
      // Success means little while the machine may be off: looking for a file has no way to fail.
      is_done = machine.Rebuild(operation).ok() && machine.disk().is_on();
      machine.FailPower();
      machine.SwitchOn();
      const absl::Status opened = machine.Open();
      ASSERT_TRUE(opened.ok()) << opened;
      ASSERT_NO_FATAL_FAILURE(machine.ExpectBlocksFound());
    }
  }
}

// A failed operation ends a node; what it does on its way out must not vouch for what the medium lacks, and until then whoever
// asks for a block gets it.
TEST_F(BlockStoreOnDiskTest, AnyOperationFails) {
  AtEveryOperation([](BlockMachine& machine, uint64_t operation) {
    machine.disk().FailAt(operation);
    machine.Live().IgnoreError();
    ASSERT_NO_FATAL_FAILURE(machine.ExpectReadable());
    machine.FailPower();
    ExpectWholeAtNextStart(machine);
  });
}

}  // namespace
}  // namespace headrace::sim
