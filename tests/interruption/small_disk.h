// A tmpfs mounted over a directory: a disk that is as small as a test wants, and grows when it wants. Needs the right
// to mount; a test without it skips with `refusal()`.
//
// One test thread; unmounted with the object, whatever still runs on it.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::testing {

class SmallDisk {
 public:
  SmallDisk(std::string directory, uint64_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Empty when the disk is there.
  const std::string& refusal() const { return refusal_; }
  void Resize(uint64_t bytes);
  // Leaves `free_bytes` beside what is in use now.
  void Fill(uint64_t free_bytes);
  // False where the kernel refuses it, as it does while a file is open for writing.
  bool SetReadOnly(bool is_read_only);

 private:
  const std::string directory_;
  std::string refusal_;
};

}  // namespace headrace::testing
