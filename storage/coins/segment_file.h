// Segment files: a 64-byte header, records, zeros to the end of the page, then four bytes of CRC-32C a page. See FORMAT.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/coins/segment.h"
#include "storage/file/file_system.h"

namespace headrace {

inline constexpr uint64_t kSegmentHeaderBytes = 64;

// What the manifest holds about a sealed segment.
struct SegmentEntry {
  uint32_t id = 0;
  uint64_t serial = 0;
  uint64_t records_end = 0;
  uint64_t record_count = 0;
  uint32_t checksum = 0;  // of the page checksums
};

std::string SegmentFileName(uint64_t serial);

// Fills the header of a segment being written.
void StoreSegmentHeader(uint32_t network_magic, uint64_t serial, uint8_t* out);

std::string SegmentPath(const std::string& directory, uint64_t serial);

// Opens the file that `entry` names and maps it at `at`, or anywhere when that is null; the records stay unread, their page
// checksums are checked against the manifest's sum. Every failure is a sentence that names the file.
absl::Status OpenSealedSegment(FileSystem* files, const std::string& directory, uint32_t network_magic,
                               const SegmentEntry& entry, uint8_t* at, Segment& segment);

}  // namespace headrace
