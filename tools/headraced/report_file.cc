#include "tools/headraced/report_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "storage/file/file_error.h"

namespace headrace {

absl::Status WriteReportFile(const std::string& path, const std::string& what, std::string_view text) {
  // Written aside and renamed, so that whoever waits for the file never reads half of it.
  const std::string aside = path + ".new";
  const std::string action = "write the " + what;
  errno = 0;
  std::ofstream stream(aside, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) return FileError(action, path, errno != 0 ? errno : EIO);
  std::error_code error;
  std::filesystem::rename(aside, path, error);
  return error ? FileError(action, path, error.value()) : absl::OkStatus();
}

}  // namespace headrace
