#include "tests/interruption/small_disk.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace headrace::testing {

SmallDisk::SmallDisk(std::string directory, uint64_t bytes) : directory_(std::move(directory)) {
  const std::string options = "size=" + std::to_string(bytes);
  if (mount("tmpfs", directory_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    refusal_ = std::string("needs the right to mount a tmpfs: ") + std::strerror(errno);
  }
}

SmallDisk::~SmallDisk() {
  if (refusal_.empty()) umount2(directory_.c_str(), MNT_DETACH);
}

void SmallDisk::Resize(uint64_t bytes) {
  const std::string options = "size=" + std::to_string(bytes);
  if (mount(nullptr, directory_.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV, options.c_str()) != 0) {
    throw std::runtime_error(std::string("cannot resize the tmpfs: ") + std::strerror(errno));
  }
}

void SmallDisk::Fill(uint64_t free_bytes) {
  // The node goes on writing meanwhile, and a disk is never made smaller than what it holds.
  for (int attempt = 0; attempt < 100; ++attempt) {
    struct statvfs status;
    if (statvfs(directory_.c_str(), &status) != 0) throw std::runtime_error("cannot look at the tmpfs");
    const uint64_t used = (status.f_blocks - status.f_bfree) * status.f_frsize;
    const std::string options = "size=" + std::to_string(used + free_bytes);
    if (mount(nullptr, directory_.c_str(), nullptr, MS_REMOUNT | MS_NOSUID | MS_NODEV, options.c_str()) == 0) return;
  }
  throw std::runtime_error("the tmpfs cannot be filled");
}

bool SmallDisk::SetReadOnly(bool is_read_only) {
  const unsigned long flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | (is_read_only ? MS_RDONLY : 0);
  return mount(nullptr, directory_.c_str(), nullptr, flags, nullptr) == 0;
}

}  // namespace headrace::testing
