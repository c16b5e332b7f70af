// A directory of its own for every test, and both file systems over it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/file/open_file_system.h"

namespace headrace::testing {

// Made anew under the system's temporary directory; removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The parameter is the choice; io_uring is skipped, and says so, where the machine forbids it.
class FileSystemTest : public ::testing::TestWithParam<FileSystemChoice> {
 protected:
  void SetUp() override;

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
};

}  // namespace headrace::testing
