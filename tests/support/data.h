// Outside data for tests: real blocks and published vectors under $HEADRACE_DATA. Absent on a stranger's machine; tests
// then skip and say so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <filesystem>

#include <nlohmann/json.hpp>

namespace headrace::testing {

// The directory, or empty when there is none.
std::string DataDirectory();
// Every file under DataDirectory() whose name ends with `suffix`, sorted.
std::vector<std::string> DataFilesEndingWith(const std::string& suffix);
std::vector<uint8_t> ReadFileBytes(const std::string& path);
nlohmann::json ReadJson(const std::string& path);

}  // namespace headrace::testing

// Skips the running test when the file or directory `path` (relative to $HEADRACE_DATA) is not there.
#define HR_NEEDS_DATA(path)                                                                             \
  do {                                                                                                  \
    const std::string hr_directory = ::headrace::testing::DataDirectory();                              \
    if (hr_directory.empty() || !std::filesystem::exists(hr_directory + "/" + (path))) {                \
      GTEST_SKIP() << "needs outside data: " << (path) << " under $HEADRACE_DATA";                      \
    }                                                                                                   \
  } while (false)
