#include "net/discovery/book_image.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

// More buckets than these never hold one address (see AddressBook).
constexpr uint8_t kImageBucketsMax = 8;

absl::Status DamagedImage(std::string_view what) {
  return absl::DataLossError(absl::StrCat("The address book cannot be read: ", std::string(what), "."));
}

void WriteNode(const NodeAddress& address, ByteWriter& writer) {
  writer.U8(address.network);
  writer.Bytes(address.span());
  writer.U16(address.port);
}

NodeAddress ReadNode(ByteReader& reader) {
  NodeAddress address;
  address.network = reader.U8();
  const size_t size = address.size();
  // A network without a size is none that this format has.
  if (size == 0) reader.Fail(DecodeError::kOversizedCount);
  const ByteSpan bytes = reader.Bytes(size);
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
  address.port = reader.U16();
  return address;
}

void WritePeers(const std::vector<NodeAddress>& peers, ByteWriter& writer) {
  writer.U32(static_cast<uint32_t>(peers.size()));
  for (const NodeAddress& peer : peers) WriteNode(peer, writer);
}

std::vector<NodeAddress> ReadPeers(ByteReader& reader) {
  std::vector<NodeAddress> peers;
  const uint32_t count = reader.U32();
  if (count > kImagePeersMax) reader.Fail(DecodeError::kOversizedCount);
  for (uint32_t i = 0; i < count && reader.ok(); ++i) peers.push_back(ReadNode(reader));
  return peers;
}

BookImageEntry ReadEntry(ByteReader& reader) {
  BookImageEntry entry;
  entry.address = ReadNode(reader);
  entry.services = reader.U64();
  entry.source = reader.U64();
  entry.time_s = reader.U32();
  entry.last_success_s = reader.U32();
  entry.attempts = reader.U16();
  const uint8_t is_tried = reader.U8();
  const uint8_t bucket_count = reader.U8();
  if (is_tried > 1 || bucket_count > kImageBucketsMax || (is_tried == 1) != (bucket_count == 0)) {
    reader.Fail(DecodeError::kOversizedCount);
  }
  entry.is_tried = is_tried == 1;
  for (uint8_t i = 0; i < bucket_count && reader.ok(); ++i) entry.new_buckets.push_back(reader.U16());
  return entry;
}

}  // namespace

std::vector<uint8_t> EncodeBookImage(const BookImage& image) {
  // An entry of an IPv4 address in one bucket has 37 bytes, one of an onion in two 67.
  constexpr size_t kEntryBytesLikely = 48;
  std::vector<uint8_t> out;
  out.reserve(kEntryBytesLikely * image.entries.size());
  ByteWriter writer(out);
  writer.U32(kBookFormatVersion);
  for (const uint64_t word : image.key) writer.U64(word);
  WritePeers(image.anchors, writer);
  WritePeers(image.recent, writer);
  writer.U32(static_cast<uint32_t>(image.entries.size()));
  for (const BookImageEntry& entry : image.entries) {
    WriteNode(entry.address, writer);
    writer.U64(entry.services);
    writer.U64(entry.source);
    writer.U32(entry.time_s);
    writer.U32(entry.last_success_s);
    writer.U16(entry.attempts);
    writer.U8(entry.is_tried ? 1 : 0);
    writer.U8(static_cast<uint8_t>(entry.new_buckets.size()));
    for (const uint16_t bucket : entry.new_buckets) writer.U16(bucket);
  }
  return out;
}

absl::StatusOr<BookImage> DecodeBookImage(ByteSpan bytes) {
  ByteReader reader(bytes);
  const uint32_t version = reader.U32();
  if (reader.ok() && version != kBookFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("The address book has format version ", version,
                                                      "; this program reads version ", kBookFormatVersion, " alone."));
  }
  BookImage image;
  for (uint64_t& word : image.key) word = reader.U64();
  image.anchors = ReadPeers(reader);
  image.recent = ReadPeers(reader);
  const uint32_t count = reader.U32();
  if (count > kImageEntriesMax) return DamagedImage("it holds more addresses than a book can");
  for (uint32_t i = 0; i < count && reader.ok(); ++i) image.entries.push_back(ReadEntry(reader));
  if (!reader.ok()) return DamagedImage(DecodeErrorText(reader.error()));
  if (reader.remaining() != 0) return DamagedImage(DecodeErrorText(DecodeError::kTrailingBytes));
  return image;
}

}  // namespace headrace
