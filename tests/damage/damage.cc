#include "tests/damage/damage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "storage/blocks/block_index_format.h"
#include "storage/coins/coin_manifest.h"
#include "storage/coins/page_checksums.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kDamagedPageBytes = 512;

bool Is(const std::string& name, const std::string& family) {
  return fs::path(name).filename().string().starts_with(family);
}

Damage Rewrite(DamageKind kind, std::string what, FileBytes bytes) {
  return {kind, std::move(what), [bytes = std::move(bytes)](const std::string& path) { WriteBytes(path, bytes); }};
}

void AddTruncations(const DamageSource& source, size_t rounds, std::mt19937_64& random, std::vector<Damage>& damages) {
  const uint64_t size = source.bytes.size();
  std::vector<uint64_t> borders = BordersOf(source.name, source.bytes);
  std::shuffle(borders.begin(), borders.end(), random);
  borders.resize(std::min<size_t>(borders.size(), 2 * rounds));
  std::set<uint64_t> cuts = {0, 1, size / 2, size - 1};
  for (const uint64_t border : borders) {
    for (const uint64_t cut : {border - 1, border, border + 1}) cuts.insert(cut);
  }
  for (const uint64_t cut : cuts) {
    if (cut >= size) continue;
    FileBytes bytes(source.bytes.begin(), source.bytes.begin() + static_cast<ptrdiff_t>(cut));
    damages.push_back(Rewrite(DamageKind::kTruncated, "truncated at " + std::to_string(cut), std::move(bytes)));
  }
}

void AddExtensions(const DamageSource& source, std::mt19937_64& random, std::vector<Damage>& damages) {
  for (const size_t more : {1, 4096, 100'000}) {
    FileBytes bytes = source.bytes;
    for (size_t i = 0; i < more; ++i) bytes.push_back(static_cast<uint8_t>(random()));
    damages.push_back(Rewrite(DamageKind::kExtended, "extended by " + std::to_string(more), std::move(bytes)));
  }
  FileBytes twice = source.bytes;
  twice.insert(twice.end(), source.bytes.begin(), source.bytes.end());
  damages.push_back(Rewrite(DamageKind::kExtended, "twice in a row", std::move(twice)));
}

void AddFlips(const DamageSource& source, size_t rounds, std::mt19937_64& random, std::vector<Damage>& damages) {
  for (size_t i = 0; i < 4 * rounds; ++i) {
    FileBytes bytes = source.bytes;
    const uint64_t at = random() % bytes.size();
    bytes[at] ^= static_cast<uint8_t>(1u << (random() % 8));
    damages.push_back(Rewrite(DamageKind::kBitFlipped, "bit flipped in byte " + std::to_string(at), std::move(bytes)));
  }
}

void AddPages(const DamageSource& source, size_t rounds, std::mt19937_64& random, std::vector<Damage>& damages) {
  const uint64_t pages = source.bytes.size() / kDamagedPageBytes;
  for (size_t i = 0; i < rounds && pages > 1; ++i) {
    const uint64_t a = random() % pages * kDamagedPageBytes;
    const uint64_t b = random() % pages * kDamagedPageBytes;
    FileBytes zeroed = source.bytes;
    std::fill_n(zeroed.begin() + static_cast<ptrdiff_t>(a), kDamagedPageBytes, uint8_t{0});
    damages.push_back(Rewrite(DamageKind::kPageZeroed, "page zeroed at " + std::to_string(a), std::move(zeroed)));
    if (a == b) continue;
    FileBytes swapped = source.bytes;
    std::swap_ranges(swapped.begin() + static_cast<ptrdiff_t>(a),
                     swapped.begin() + static_cast<ptrdiff_t>(a + kDamagedPageBytes),
                     swapped.begin() + static_cast<ptrdiff_t>(b));
    damages.push_back(Rewrite(DamageKind::kPagesSwapped,
                              "pages swapped at " + std::to_string(a) + " and " + std::to_string(b),
                              std::move(swapped)));
  }
}

void AddReplacements(const DamageSource& source, std::vector<Damage>& damages) {
  damages.push_back({DamageKind::kDeleted, "deleted", [](const std::string& path) { fs::remove(path); }});
  for (const auto& [what, bytes] : source.strangers) {
    if (bytes != source.bytes) damages.push_back(Rewrite(DamageKind::kReplaced, "replaced by " + what, bytes));
  }
  const FileBytes newer = NewerFormat(source.name, source.bytes);
  if (!newer.empty()) damages.push_back(Rewrite(DamageKind::kNewerFormat, "of a newer format", newer));
  damages.push_back({DamageKind::kNoFile, "made a directory", [](const std::string& path) {
                       fs::remove(path);
                       fs::create_directory(path);
                     }});
  damages.push_back({DamageKind::kNoFile, "made a symlink to nothing", [](const std::string& path) {
                       fs::remove(path);
                       fs::create_symlink(path + ".nothing", path);
                     }});
}

}  // namespace

const char* DamageKindName(DamageKind kind) {
  static constexpr const char* kNames[kDamageKinds] = {"truncated", "extended", "flipped", "zeroed", "swapped",
                                                       "deleted",   "replaced", "newer",   "no file"};
  return kNames[static_cast<size_t>(kind)];
}

std::vector<uint64_t> BordersOf(const std::string& name, const FileBytes& bytes) {
  std::set<uint64_t> borders;
  if (Is(name, "blk") || Is(name, "rev")) {
    const uint64_t trailer = Is(name, "rev") ? kUndoTrailerBytes : 0;
    for (uint64_t at = 0; at + 8 < bytes.size() && LoadLittle32(&bytes[at + 4]) != 0;) {
      const uint64_t end = at + 8 + LoadLittle32(&bytes[at + 4]);
      borders.insert({at, at + 4, at + 8, at + 88, end, end + trailer});
      at = end + trailer;
    }
  } else if (Is(name, "index")) {
    borders = {16, 20, 60, 64, 512, 544, 1024, 1056};
    for (uint64_t at = kBlockIndexHeaderBytes; at < bytes.size(); at += kBlockIndexRecordBytes) borders.insert(at);
  } else if (Is(name, "coins.manifest")) {
    borders = {8, 12, 16, 32, 40, 48, 56, 60, 64, bytes.size() - 4};
    for (uint64_t at = 64; at < bytes.size(); at += 60) borders.insert(at);
  } else {
    borders = {8, 12, 16, 24, 64};
    for (uint64_t at = kPageBytes; at < bytes.size(); at += kPageBytes) borders.insert(at);
  }
  borders.erase(0);
  return {borders.begin(), borders.end()};
}

FileBytes NewerFormat(const std::string& name, FileBytes bytes) {
  if (Is(name, "index")) {
    StoreLittle(&bytes[16], kBlockIndexVersion + 1);
    StoreLittle(&bytes[60], Crc32c({bytes.data(), 60}));
    return bytes;
  }
  if (Is(name, "coins.manifest")) {
    StoreLittle(&bytes[8], kCoinFormatVersion + 1);
    StoreLittle(&bytes[bytes.size() - 4], Crc32c({bytes.data(), bytes.size() - 4}));
    return bytes;
  }
  return {};
}

std::vector<Damage> DamagesOf(const DamageSource& source, size_t rounds, std::mt19937_64& random) {
  std::vector<Damage> damages;
  if (!source.bytes.empty()) {
    AddTruncations(source, rounds, random, damages);
    AddFlips(source, rounds, random, damages);
    AddPages(source, rounds, random, damages);
  }
  AddExtensions(source, random, damages);
  AddReplacements(source, damages);
  return damages;
}

FileBytes ReadBytes(const std::string& path) { return ReadFileBytes(path); }

void WriteBytes(const std::string& path, const FileBytes& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace headrace::testing
