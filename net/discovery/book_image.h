// The address book as its file holds it: values, and their encoding (FORMAT.md).
//
// Pure; any thread. Encoding a full book takes about ten milliseconds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "net/discovery/keyed_draws.h"
#include "net/discovery/node_address.h"

namespace headrace {

inline constexpr uint32_t kBookFormatVersion = 1;

struct BookImageEntry {
  NodeAddress address;
  uint64_t services = 0;
  NetworkGroup source = 0;
  uint32_t time_s = 0;
  uint32_t last_success_s = 0;
  uint16_t attempts = 0;
  bool is_tried = false;
  absl::InlinedVector<uint16_t, 8> new_buckets;  // none when tried
  bool operator==(const BookImageEntry&) const = default;
};

struct BookImage {
  HashKey key{};
  std::vector<BookImageEntry> entries;
  std::vector<NodeAddress> anchors;  // block-relay-only peers, dialled first
  std::vector<NodeAddress> recent;   // full-relay peers, dialled next
  bool operator==(const BookImage&) const = default;
};

// What a file may hold of each.
inline constexpr uint32_t kImageEntriesMax = 81'920;
inline constexpr uint32_t kImagePeersMax = 16;

std::vector<uint8_t> EncodeBookImage(const BookImage& image);
// A sentence says what is wrong: damage, or a version that this program does not know.
absl::StatusOr<BookImage> DecodeBookImage(ByteSpan bytes);

}  // namespace headrace
