// What may happen to one file of a data directory, as a list: each damage has a name for the table and a function that
// does it. Bytes are damaged in places that mean something to the format (borders) and in random ones.
//
// One thread; costs what rewriting the file costs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace headrace::testing {

using FileBytes = std::vector<uint8_t>;

// The kinds that the table counts.
enum class DamageKind : uint8_t {
  kTruncated,
  kExtended,
  kBitFlipped,
  kPageZeroed,
  kPagesSwapped,
  kDeleted,
  kReplaced,
  kNewerFormat,
  kNoFile,
};
inline constexpr size_t kDamageKinds = 9;
const char* DamageKindName(DamageKind kind);

struct Damage {
  DamageKind kind;
  std::string what;  // "truncated at 4096"
  std::function<void(const std::string& path)> inflict;
};

struct DamageSource {
  std::string name;  // of the file, from the data directory
  FileBytes bytes;
  // Files of the same name elsewhere: another network's, an older state's, another store's. By what they are.
  std::map<std::string, FileBytes> strangers;
};

// Where records, frames, pages and headers of this file begin and end.
std::vector<uint64_t> BordersOf(const std::string& name, const FileBytes& bytes);

// `rounds` scales the random part.
std::vector<Damage> DamagesOf(const DamageSource& source, size_t rounds, std::mt19937_64& random);

// The file as a format of the next version would begin; empty for files that carry no version.
FileBytes NewerFormat(const std::string& name, FileBytes bytes);

FileBytes ReadBytes(const std::string& path);
void WriteBytes(const std::string& path, const FileBytes& bytes);

}  // namespace headrace::testing
