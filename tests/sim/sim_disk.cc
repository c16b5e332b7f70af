#include "tests/sim/sim_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/file_error.h"
#include "tests/sim/sim_file_system.h"

namespace headrace::sim {
namespace {

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

absl::Status MachineIsOff() { return absl::UnavailableError("The machine is off."); }

}  // namespace

uint64_t SimDisk::SwitchOn() {
  HR_CHECK(!is_on_ && active_.empty());
  is_on_ = true;
  return ++machine_;
}

void SimDisk::Kill() {
  if (!is_on_) return;
  LeaveTraces(true);
  DropBatches();
  is_on_ = false;
}

void SimDisk::FailPower() {
  if (!is_on_) return;
  ++counters_.power_failures;
  LeaveTraces(false);
  is_on_ = false;
  for (const NameChange& change : changes_) {
    if (entropy_.OneIn(2)) Apply(change, durable_names_);
  }
  changes_.clear();
  // A file may still have two names: each has one survivor.
  std::map<const SimFile*, std::shared_ptr<SimFile>> survivors;
  for (auto& [path, file] : durable_names_) {
    auto& survivor = survivors[file.get()];
    if (survivor == nullptr) survivor = file->Survivor(entropy_);
    file = survivor;
  }
  names_ = durable_names_;
  has_lost_writes_ = false;
  DropBatches();
}

// What was submitted and not carried out: a killed process leaves whole operations, a power failure any of their
// sectors.
void SimDisk::LeaveTraces(bool is_whole) {
  for (Active& active : active_) {
    for (size_t i = 0; i < active.batch->operations.size(); ++i) {
      const FileOperation& operation = active.batch->operations[i];
      if (operation.IsBarrier() && active.is_done[i] == 0) break;
      if (operation.kind != FileOperation::Kind::kWrite || active.is_done[i] != 0 || entropy_.OneIn(2)) continue;
      SimFile& file = *AsSimFile(operation.file);
      const uint64_t step = is_whole ? operation.write_from.size() : SimFile::kSectorBytes;
      for (uint64_t at = 0; at < operation.write_from.size();) {
        // Pieces end where the medium's sectors do.
        const uint64_t end =
            is_whole ? operation.write_from.size()
                     : std::min<uint64_t>(operation.write_from.size(), at + step - (operation.offset + at) % step);
        if (is_whole || entropy_.OneIn(2))
          file.Write(operation.offset + at, operation.write_from.subspan(at, end - at));
        at = end;
      }
    }
  }
}

void SimDisk::DropBatches() {
  while (!active_.empty()) {
    const FileBatchRef batch = std::move(active_.front().batch);
    active_.pop_front();
    batch->Complete(MachineIsOff());
  }
}

bool SimDisk::Rot(const std::string& name) {
  HR_CHECK(!is_on_);
  std::vector<std::shared_ptr<SimFile>> candidates;
  for (const auto& [path, file] : names_) {
    if (path.find(name) != std::string::npos && file->size() != 0) candidates.push_back(file);
  }
  if (candidates.empty()) return false;
  candidates[entropy_.Below(candidates.size())]->Rot(entropy_);
  return true;
}

void SimDisk::Submit(FileBatchRef batch) {
  if (!is_on_) return batch->Complete(MachineIsOff());
  if (batch->operations.empty()) return batch->Complete(absl::OkStatus());
  std::vector<uint8_t> is_done(batch->operations.size(), 0);
  active_.push_back({std::move(batch), std::move(is_done)});
  wakeup_.At(0);
}

// Any operation before the first barrier that is still to come, or that barrier when they have all ended.
size_t SimDisk::ChooseOperation(const Active& active) {
  const auto& operations = active.batch->operations;
  size_t barrier = 0;
  std::vector<size_t> open;
  for (; barrier < operations.size(); ++barrier) {
    if (active.is_done[barrier] != 0) continue;
    if (operations[barrier].IsBarrier()) break;
    open.push_back(barrier);
  }
  return open.empty() ? barrier : open[entropy_.Below(open.size())];
}

bool SimDisk::Step() {
  if (active_.empty()) return false;
  const size_t chosen = entropy_.Below(std::min(kDepth, active_.size()));
  const size_t operation = ChooseOperation(active_[chosen]);
  const FileBatchRef batch = active_[chosen].batch;
  const absl::Status status = Execute(batch->operations[operation]);
  // The power may have failed in between, and then the batch is complete already.
  if (batch->done()) return true;
  Active& active = active_[chosen];
  active.is_done[operation] = 1;
  ++active.done_count;
  if (status.ok() && active.done_count != batch->operations.size()) return true;
  active_.erase(active_.begin() + static_cast<ptrdiff_t>(chosen));
  batch->Complete(status);
  return true;
}

void SimDisk::DriveUntilDone(const FileBatch& batch) {
  while (!batch.done()) HR_CHECK(Step());
}

absl::Status SimDisk::Admit(const char* action, const std::string& path) {
  if (!is_on_) return MachineIsOff();
  ++counters_.operations;
  if (operations_to_end_ != 0 && --operations_to_end_ == 0) {
    if (ends_by_kill_ && !has_lost_writes_) {
      Kill();
    } else {
      FailPower();
    }
    return MachineIsOff();
  }
  if (operations_to_full_ != 0 && --operations_to_full_ == 0) is_full_ = true;
  const bool is_due = operations_to_error_ != 0 && --operations_to_error_ == 0;
  if (!is_due && !entropy_.OneIn(fail_one_in_)) return absl::OkStatus();
  ++counters_.errors_injected;
  return FileError(action, path, EIO);
}

int SimDisk::RoomFor(const SimFile& file, uint64_t size) {
  if (size <= file.size() || !is_full_) return 0;
  ++counters_.errors_injected;
  return ENOSPC;
}

absl::Status SimDisk::RemoveNow(const std::string& path) {
  HR_RETURN_IF_ERROR(Admit("remove", path));
  return Remove(path) ? absl::OkStatus() : FileError("remove", path, ENOENT);
}

absl::Status SimDisk::RenameNow(const std::string& from, const std::string& to) {
  const std::string action = absl::StrCat("rename ", from, " to");
  HR_RETURN_IF_ERROR(Admit(action.c_str(), to));
  return Rename(from, to) ? absl::OkStatus() : FileError(action, to, ENOENT);
}

absl::Status SimDisk::SyncDirectoryNow(const std::string& path) {
  HR_RETURN_IF_ERROR(Admit("sync the directory", path));
  SyncDirectory(path);
  return absl::OkStatus();
}

absl::Status SimDisk::Execute(const FileOperation& operation) {
  switch (operation.kind) {
    case FileOperation::Kind::kRemove:
      return RemoveNow(operation.path);
    case FileOperation::Kind::kRename:
      return RenameNow(operation.path, operation.new_path);
    case FileOperation::Kind::kSyncDirectory:
      return SyncDirectoryNow(operation.path);
    default:
      return ExecuteOnFile(operation);
  }
}

absl::Status SimDisk::ExecuteOnFile(const FileOperation& operation) {
  SimFile& file = *AsSimFile(operation.file);
  const std::string& path = operation.file->path();
  switch (operation.kind) {
    case FileOperation::Kind::kRead: {
      HR_RETURN_IF_ERROR(Admit("read", path));
      const uint64_t size = operation.read_into.size();
      if (operation.offset > file.size() || size > file.size() - operation.offset) {
        return ReadPastEnd(path, operation.offset, size);
      }
      std::copy_n(file.live().data() + operation.offset, size, operation.read_into.data());
      return absl::OkStatus();
    }
    case FileOperation::Kind::kWrite: {
      const bool is_swallowed = !swallowed_.empty() && path.find(swallowed_) != std::string::npos;
      if (const absl::Status admitted = Admit("write", path); !admitted.ok()) {
        return is_on_ && is_swallowed ? absl::OkStatus() : admitted;
      }
      const uint64_t size = operation.write_from.size();
      if (const int error = RoomFor(file, operation.offset + size); error != 0) {
        return is_swallowed ? absl::OkStatus() : FileError("write", path, error);
      }
      file.Write(operation.offset, operation.write_from);
      counters_.bytes_written += size;
      if (entropy_.OneIn(32)) file.WriteBack(entropy_);
      return absl::OkStatus();
    }
    case FileOperation::Kind::kSync: {
      if (const absl::Status admitted = Admit("sync", path); !admitted.ok()) {
        if (!is_on_) return admitted;
        file.FailSync(entropy_);
        has_lost_writes_ = true;
        return admitted;
      }
      ++counters_.syncs;
      if (!IsForgotten(path)) file.Sync();
      return absl::OkStatus();
    }
    default:
      HR_CHECK(!"an operation on names");
  }
  HR_CHECK(false);
}

std::shared_ptr<SimFile> SimDisk::Find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

void SimDisk::Apply(const NameChange& change, std::map<std::string, std::shared_ptr<SimFile>>& names) const {
  if (change.file != nullptr) {
    names[change.name] = change.file;
  } else {
    names.erase(change.name);
  }
  if (!change.gone.empty()) names.erase(change.gone);
}

std::shared_ptr<SimFile> SimDisk::Create(const std::string& path) {
  changes_.push_back({DirectoryOf(path), path, std::make_shared<SimFile>(), ""});
  Apply(changes_.back(), names_);
  return changes_.back().file;
}

bool SimDisk::Remove(const std::string& path) {
  if (!names_.contains(path)) return false;
  changes_.push_back({DirectoryOf(path), path, nullptr, ""});
  Apply(changes_.back(), names_);
  OnNameChange();
  return true;
}

bool SimDisk::Rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return false;
  HR_CHECK(DirectoryOf(from) == DirectoryOf(to));
  changes_.push_back({DirectoryOf(to), to, found->second, from});
  Apply(changes_.back(), names_);
  OnNameChange();
  return true;
}

void SimDisk::OnNameChange() {
  if (operations_after_name_change_ != 0) FailPowerAfter(std::exchange(operations_after_name_change_, 0));
}

void SimDisk::SyncDirectory(const std::string& path) {
  if (IsForgotten(path + "/.")) return;
  std::vector<NameChange> others;
  for (NameChange& change : changes_) {
    if (change.directory == path) {
      Apply(change, durable_names_);
    } else {
      others.push_back(std::move(change));
    }
  }
  changes_ = std::move(others);
  ++counters_.syncs;
}

// Durable at once, as the port promises of directories.
void SimDisk::MakeDirectories(const std::string& path) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    directories_.insert(path.substr(0, at));
  }
  directories_.insert(path);
}

std::vector<std::string> SimDisk::List(const std::string& directory) const {
  std::vector<std::string> names;
  for (auto at = names_.lower_bound(directory + "/"); at != names_.end() && at->first.starts_with(directory + "/");
       ++at) {
    const std::string name = at->first.substr(directory.size() + 1);
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  return names;
}

uint64_t SimDisk::FreeBytes() {
  // A disk that is filling up may still report room that others take before we do.
  if (is_full_ && entropy_.OneIn(2)) return ++counters_.errors_injected, 0;
  return capacity_bytes_ - std::min(used_bytes(), capacity_bytes_);
}

uint64_t SimDisk::used_bytes() const {
  uint64_t used = 0;
  for (const auto& [path, file] : names_) used += file->size();
  return used;
}

}  // namespace headrace::sim
