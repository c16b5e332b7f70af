#include "tests/support/data.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace headrace::testing {

std::string DataDirectory() {
  const char* directory = std::getenv("HEADRACE_DATA");
  return directory == nullptr || !std::filesystem::is_directory(directory) ? std::string() : std::string(directory);
}

std::vector<std::string> DataFilesEndingWith(const std::string& suffix) {
  std::vector<std::string> paths;
  const std::string directory = DataDirectory();
  if (directory.empty()) return paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    if (entry.is_regular_file() && path.ends_with(suffix)) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<uint8_t> ReadFileBytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot open " + path);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

nlohmann::json ReadJson(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadFileBytes(path);
  return nlohmann::json::parse(bytes.begin(), bytes.end());
}

}  // namespace headrace::testing
