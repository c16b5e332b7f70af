// A simulated disk: it outlives the node that uses it, and decides what is left after the node's machine has lost
// power.
//
// Names. Creations, removals and renames take effect at once for whoever reads, and wait, directory by directory, for
// SyncDirectory to become durable; those that still wait when the power fails survive one by one, by coin toss, in
// their order. Bytes: see sim_file.h. Batches: operations are carried out when the world turns the disk, those of a
// batch in any order between its syncs, batches side by side up to the disk's depth; a wait turns the disk until its
// batch is done.
//
// Faults: the next operations may fail with EIO, the disk may be full, the power may fail at any operation, and bits
// may rot while nobody is looking. One thread.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/file/file_system.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"
#include "tests/sim/sim_file.h"

namespace headrace::sim {

struct SimDiskCounters {
  uint64_t operations = 0;
  uint64_t bytes_written = 0;
  uint64_t syncs = 0;
  uint64_t errors_injected = 0;
  uint64_t power_failures = 0;
  uint64_t absent_pages = 0;
};

class SimDisk {
 public:
  explicit SimDisk(SimEntropy entropy, Wakeup& wakeup)
      : entropy_(entropy), residency_(SimEntropy(entropy).Fork()), wakeup_(wakeup) {}

  // A machine is switched on: everything that happens from now on carries its number.
  uint64_t SwitchOn();
  // The process is killed: what was submitted may or may not have been carried out, everything that was written stays.
  void Kill();
  // The machine loses power.
  void FailPower();
  bool is_on() const { return is_on_; }
  bool is_on(uint64_t machine) const { return is_on_ && machine == machine_; }

  // Faults; zero lifts them.
  void FailOneIn(uint64_t n) { fail_one_in_ = n; }
  void FillUp(bool is_full) { is_full_ = is_full; }
  // The disk is full from the operation after so many others on.
  void FillUpAfter(uint64_t operations) { operations_to_full_ = operations; }
  // The operation after so many others fails with EIO, once.
  void FailAt(uint64_t operations) { operations_to_error_ = operations; }
  void SetCapacity(uint64_t bytes) { capacity_bytes_ = bytes; }
  // Zero: not at all.
  void FailPowerAfter(uint64_t operations) { SetEnd(operations, false); }
  void KillAfter(uint64_t operations) { SetEnd(operations, true); }
  // The power fails so many operations after the next file was renamed or removed: the moments in which an order of
  // names and syncs is put to the test are few among thousands of operations.
  void FailPowerAfterNameChange(uint64_t operations) { operations_after_name_change_ = operations; }
  // Treachery, to show that a world notices: syncs whose path (a directory's ends in "/.") holds `forgotten` do
  // nothing, and failed writes to files whose path holds `swallowed` report success. What a node that forgets a sync or
  // a status would do to itself.
  void SetTreachery(const std::string& forgotten, const std::string& swallowed) {
    forgotten_ = forgotten, swallowed_ = swallowed;
  }
  // Memory is short: one page in `n` that a mapping shows has to be read first, or so the system says. Zero: none.
  void ForgetOneIn(uint64_t n) { forget_one_in_ = n; }
  // After a sync that failed, what the system shows may differ from the medium: only a power failure tells.
  bool has_lost_writes() const { return has_lost_writes_; }
  // Changes bits of a file whose name holds `name`; false when there is none. The machine is off.
  bool Rot(const std::string& name);

  // Turns the disk: one operation of one batch. False when there was none.
  bool Step();
  bool has_work() const { return !active_.empty(); }
  void Submit(FileBatchRef batch);
  void DriveUntilDone(const FileBatch& batch);

  // For the file system in front.
  absl::Status Admit(const char* action, const std::string& path);
  // Zero or ENOSPC.
  int RoomFor(const SimFile& file, uint64_t size);
  std::shared_ptr<SimFile> Find(const std::string& path) const;
  std::shared_ptr<SimFile> Create(const std::string& path);
  absl::Status RemoveNow(const std::string& path);
  absl::Status RenameNow(const std::string& from, const std::string& to);
  absl::Status SyncDirectoryNow(const std::string& path);
  void MakeDirectories(const std::string& path);
  bool HasDirectory(const std::string& path) const { return directories_.contains(path); }
  std::vector<std::string> List(const std::string& directory) const;
  uint64_t FreeBytes();
  bool IsResident() {
    const bool is_absent = residency_.OneIn(forget_one_in_);
    counters_.absent_pages += is_absent;
    return !is_absent;
  }
  uint64_t used_bytes() const;

  const SimDiskCounters& counters() const { return counters_; }
  uint64_t file_count() const { return names_.size(); }

 private:
  // A change of a directory that waits for its sync: `name` now stands for `file` (null: for nothing), and `gone` for
  // nothing.
  struct NameChange {
    std::string directory;
    std::string name;
    std::shared_ptr<SimFile> file;
    std::string gone;
  };
  struct Active {
    FileBatchRef batch;
    std::vector<uint8_t> is_done;
    size_t done_count = 0;
  };

  static constexpr size_t kDepth = 4;

  bool IsForgotten(const std::string& path) const {
    return !forgotten_.empty() && path.find(forgotten_) != std::string::npos;
  }
  // False when there is no such file.
  bool Remove(const std::string& path);
  bool Rename(const std::string& from, const std::string& to);
  void SyncDirectory(const std::string& path);
  void SetEnd(uint64_t operations, bool is_kill) { operations_to_end_ = operations, ends_by_kill_ = is_kill; }
  void OnNameChange();
  void Apply(const NameChange& change, std::map<std::string, std::shared_ptr<SimFile>>& names) const;
  size_t ChooseOperation(const Active& active);
  absl::Status Execute(const FileOperation& operation);
  absl::Status ExecuteOnFile(const FileOperation& operation);
  void LeaveTraces(bool is_whole);
  void DropBatches();

  SimEntropy entropy_;
  SimEntropy residency_;
  Wakeup& wakeup_;
  bool is_on_ = false;
  uint64_t machine_ = 0;

  std::map<std::string, std::shared_ptr<SimFile>> names_;
  std::map<std::string, std::shared_ptr<SimFile>> durable_names_;
  std::vector<NameChange> changes_;
  std::set<std::string> directories_;
  std::deque<Active> active_;

  uint64_t fail_one_in_ = 0;
  uint64_t forget_one_in_ = 0;
  uint64_t operations_to_error_ = 0;
  bool is_full_ = false;
  uint64_t operations_to_full_ = 0;
  uint64_t capacity_bytes_ = uint64_t{1} << 30;
  uint64_t operations_to_end_ = 0;
  bool ends_by_kill_ = false;
  uint64_t operations_after_name_change_ = 0;
  bool has_lost_writes_ = false;
  std::string forgotten_;
  std::string swallowed_;
  SimDiskCounters counters_;
};

}  // namespace headrace::sim
