// A directory of its own for every test, and both file systems over it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "storage/file/open_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

// The parameter is the choice; io_uring is skipped, and says so, where the machine forbids it.
class FileSystemTest : public ::testing::TestWithParam<FileSystemChoice> {
 protected:
  void SetUp() override;

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
};

}  // namespace headrace::testing
