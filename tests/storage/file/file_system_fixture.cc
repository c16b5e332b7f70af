#include "tests/storage/file/file_system_fixture.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>
#include <utility>

namespace headrace::testing {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (std::filesystem::temp_directory_path() / "headrace-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void FileSystemTest::SetUp() {
  absl::StatusOr<std::unique_ptr<FileSystem>> opened = OpenFileSystem(GetParam());
  if (absl::IsUnavailable(opened.status())) GTEST_SKIP() << "no io_uring here: " << opened.status().message();
  ASSERT_TRUE(opened.ok()) << opened.status();
  files_ = *std::move(opened);
}

}  // namespace headrace::testing
