// The block store on a simulated disk against lists of what was put and appended: what a Sync vouched for is there
// after any crash, what comes back is never anything else, and whole blocks without a record are found.
#include <algorithm>
#include <map>
#include <memory>

#include "storage/blocks/flat_block_store.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"
#include "tests/sim/sim_file_system.h"

namespace headrace::fuzz {
namespace {

constexpr NetworkMagic kMagic = {0xfa, 0xbf, 0xb5, 0xda};

class BlockStory {
 public:
  explicit BlockStory(FuzzInput& in) : in_(in), entropy_(in.U32()), disk_(entropy_.Fork(), wakeup_) {
    file_bytes_max_ = in_.Flag() ? 2000 : 1 << 20;
    Open();
    HR_CHECK(store_->records().size() == 1);
    records_.push_back(store_->records()[0]);
    synced_ = records_;
  }
  ~BlockStory() {
    disk_.Kill();
    store_.reset();
  }

  bool Step() {
    if (in_.empty()) return false;
    switch (in_.Below(12)) {
      case 0:
      case 1:
      case 2:
        AddHeader();
        break;
      case 3:
      case 4:
        AddBlock();
        break;
      case 5:
        AddUndo();
        break;
      case 6:
        ChangeStatus();
        break;
      case 7:
        Sync();
        break;
      case 8:
        Survived(store_->Poll());
        break;
      case 9:
        disk_.Step();
        break;
      case 10:
        Crash();
        break;
      default:
        RequireReadable();
        break;
    }
    if (!files_->is_alive()) Recover();
    return true;
  }

 private:
  static BlockHeader Genesis() {
    BlockHeader header;
    header.nonce = 77;
    return header;
  }

  void Open() {
    store_.reset();
    files_ = std::make_unique<sim::SimFileSystem>(disk_);
    auto store = FlatBlockStore::Open(*files_, {.directory = "/blocks",
                                                .magic = kMagic,
                                                .genesis = Genesis(),
                                                .file_bytes_max = file_bytes_max_,
                                                .queued_bytes_max = 4096});
    HR_CHECK(store.ok());
    store_ = *std::move(store);
  }

  bool Survived(const absl::Status& status) {
    if (status.ok()) return true;
    // Only a disk that was told to may make the store fail.
    HR_CHECK(has_faults_);
    if (files_->is_alive()) disk_.FailPower();
    Recover();
    return false;
  }

  size_t Any() { return in_.Below(records_.size()); }

  void Put(size_t id, const BlockRecord& record) {
    if (id == records_.size()) {
      records_.push_back(record);
    } else {
      records_[id] = record;
    }
    Survived(store_->PutRecord(static_cast<BlockRecordId>(id), record));
  }

  void AddHeader() {
    if (records_.size() >= 60) return;
    BlockRecord record;
    record.header.previous = records_[Any()].header.Hash();
    record.header.nonce = ++salt_;
    Put(records_.size(), record);
  }

  void AddBlock() {
    const size_t id = Any();
    BlockRecord record = records_[id];
    if (id == 0 || record.data.exists()) return;
    auto slab = std::make_shared<Slab>(81 + in_.U8() * 3);
    std::fill(slab->writable().begin(), slab->writable().end(), static_cast<uint8_t>(++salt_));
    record.header.Store(slab->writable().data());
    const auto position = store_->AppendBlock(slab);
    if (!position.ok()) return void(Survived(position.status()));
    HR_CHECK(position->size == slab->size());
    bodies_[record.header.Hash()] = Bytes(slab->bytes().begin(), slab->bytes().end());
    record.data = *position;
    record.transaction_count = 1;
    // Now and then the crash comes between a block and its record.
    if (in_.Below(8) != 0) Put(id, record);
  }

  void AddUndo() {
    const size_t id = Any();
    BlockRecord record = records_[id];
    if (!record.data.exists() || record.undo.exists()) return;
    const Bytes undo(1 + in_.U8(), static_cast<uint8_t>(++salt_));
    const auto position = store_->AppendUndo(record.header.Hash(), undo);
    if (!position.ok()) return void(Survived(position.status()));
    undos_[record.header.Hash()] = undo;
    record.undo = *position;
    record.status |= kBlockApplied;
    Put(id, record);
  }

  void ChangeStatus() {
    const size_t id = Any();
    BlockRecord record = records_[id];
    record.status ^= in_.Flag() ? kBlockScriptsVerified : kBlockInvalid;
    Put(id, record);
  }

  void Sync() {
    if (!Survived(store_->Sync())) return;
    synced_ = records_;
  }

  void Crash() {
    has_faults_ = true;
    switch (in_.Below(5)) {
      case 0:
        disk_.FailPowerAfter(1 + in_.U8() % 64);
        return;
      case 1:
        disk_.KillAfter(1 + in_.U8() % 64);
        return;
      case 2:
        disk_.FailOneIn(1 + in_.U8() % 64);
        return;
      case 3:
        disk_.FailPower();
        return Recover();
      default:
        disk_.Kill();
        return Recover();
    }
  }

  void Recover() {
    has_faults_ = false;
    disk_.FailOneIn(0);
    disk_.FailPowerAfter(0);
    Open();
    const auto found = store_->records();
    // Not one of the synced ones is missing, and what there is stands where it was put.
    HR_CHECK(found.size() >= synced_.size() && found.size() <= records_.size());
    for (size_t id = 0; id < found.size(); ++id) {
      HR_CHECK(found[id].header == records_[id].header);
      if (id >= synced_.size()) continue;
      HR_CHECK(!synced_[id].data.exists() || found[id].data == synced_[id].data);
      HR_CHECK(!synced_[id].undo.exists() || found[id].undo == synced_[id].undo);
    }
    records_.assign(found.begin(), found.end());
    for (const RecoveredBlock& stray : store_->recovered_blocks()) {
      const auto bytes = store_->Map(stray.position);
      HR_CHECK(bytes.ok() && BlockHeader::Load(bytes->bytes.data()).Hash() == stray.hash);
    }
    RequireReadable();
    // The store's destructor keeps reserved space as long as strays are not taken up.
    if (in_.Flag()) Survived(store_->ForgetStrays());
  }

  void RequireReadable() {
    for (const BlockRecord& record : std::vector<BlockRecord>(records_)) {
      const Hash256 hash = record.header.Hash();
      if (record.data.exists()) {
        const auto bytes = store_->Map(record.data);
        if (!bytes.ok()) return void(Survived(bytes.status()));
        HR_CHECK(bodies_.contains(hash) && bytes->bytes.size() == record.data.size);
        // The body is what was appended, unless a power failure took what no sync had vouched for.
        if (IsSynced(record)) HR_CHECK(IsSame(bytes->bytes, bodies_[hash]));
      }
      if (!record.undo.exists()) continue;
      const auto undo = store_->ReadUndo(record.undo, hash);
      if (undo.ok()) {
        HR_CHECK(IsSame(undo->bytes, undos_[hash]));
      } else if (IsSynced(record)) {
        return void(Survived(undo.status()));
      }
    }
  }

  bool IsSynced(const BlockRecord& record) const {
    return std::any_of(synced_.begin(), synced_.end(), [&](const BlockRecord& one) {
      return one.header == record.header && one.data == record.data && one.undo == record.undo;
    });
  }

  FuzzInput& in_;
  sim::SimEntropy entropy_;
  sim::Wakeup wakeup_;
  sim::SimDisk disk_;
  uint32_t file_bytes_max_;
  std::unique_ptr<sim::SimFileSystem> files_;
  std::unique_ptr<FlatBlockStore> store_;
  std::vector<BlockRecord> records_;
  std::vector<BlockRecord> synced_;
  std::map<Hash256, Bytes> bodies_;
  std::map<Hash256, Bytes> undos_;
  uint32_t salt_ = 0;
  bool has_faults_ = false;
};

void Run(ByteSpan input) {
  FuzzInput in(input);
  BlockStory story(in);
  for (int steps = 0; steps < 150 && story.Step(); ++steps) {
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  uint64_t state = 3;
  for (int i = 0; i < 14; ++i) {
    Bytes& input = corpus.emplace_back();
    for (int size = 0; size < 80 + i * 30; ++size) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      input.push_back(static_cast<uint8_t>(state >> 56));
    }
  }
  return corpus;
}

FUZZ_TARGET(block_store, 300, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
