#include "tests/storage/file/file_system_fixture.h"

#include <utility>

namespace headrace::testing {

void FileSystemTest::SetUp() {
  absl::StatusOr<std::unique_ptr<FileSystem>> opened = OpenFileSystem(GetParam());
  if (absl::IsUnavailable(opened.status())) GTEST_SKIP() << "no io_uring here: " << opened.status().message();
  ASSERT_TRUE(opened.ok()) << opened.status();
  files_ = *std::move(opened);
}

}  // namespace headrace::testing
