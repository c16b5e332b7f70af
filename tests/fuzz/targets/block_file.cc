// The walk over block files, in the clear and obfuscated: it ends, hands out only frames that stand in the bytes, in
// the order in which they stand, and misses none of those that a clean file holds. In steps or at once, it finds the
// same.
#include "storage/blocks/block_file_reader.h"

#include <algorithm>

#include "engine/primitives/byte_writer.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"
#include "tests/sim/sim_file_system.h"

namespace headrace::fuzz {
namespace {

constexpr NetworkMagic kMagic = {0xfa, 0xbf, 0xb5, 0xda};

struct Found {
  uint64_t offset;
  Bytes bytes;
  bool operator==(const Found&) const = default;
};

bool IsFrame(ByteSpan clear, const Found& found) {
  if (found.offset < 8 || found.offset + found.bytes.size() > clear.size()) return false;
  const uint8_t* header = &clear[found.offset - 8];
  return std::equal(kMagic.begin(), kMagic.end(), header) && LoadLittle32(header + 4) == found.bytes.size() &&
         IsSame(found.bytes, clear.subspan(found.offset, found.bytes.size()));
}

// The frames of a file that is nothing but frames and zeros behind them, one after another; nothing for any other file.
std::optional<std::vector<Found>> PlainFrames(ByteSpan clear) {
  std::vector<Found> frames;
  size_t at = 0;
  while (at < clear.size()) {
    if (clear[at] == 0) {
      const bool only_zeros = std::all_of(clear.begin() + at, clear.end(), [](uint8_t byte) { return byte == 0; });
      return only_zeros ? std::optional(frames) : std::nullopt;
    }
    if (clear.size() - at < 8 || !std::equal(kMagic.begin(), kMagic.end(), clear.begin() + at)) return std::nullopt;
    const uint32_t size = LoadLittle32(&clear[at + 4]);
    if (size < kFramedBlockBytesMin || size > kFramedBlockBytesMax || size > clear.size() - at - 8) return std::nullopt;
    frames.push_back({at + 8, Bytes(clear.begin() + at + 8, clear.begin() + at + 8 + size)});
    at += 8 + size;
  }
  return frames;
}

std::vector<Found> Walk(BlockFileReader& reader, uint64_t step) {
  std::vector<Found> frames;
  uint64_t turns = 0;
  while (true) {
    // Each turn moves on, or ends.
    HR_CHECK(++turns <= 3 * reader.size() + 10);
    if (step == 0) {
      const auto block = reader.Next();
      if (!block) break;
      frames.push_back({block->offset, Bytes(block->bytes.bytes.begin(), block->bytes.bytes.end())});
      continue;
    }
    BlockFileReader::Block block;
    const BlockFileReader::Found found = reader.NextWithin(step, block);
    if (found == BlockFileReader::Found::kEnd) break;
    if (found == BlockFileReader::Found::kNothingYet) continue;
    frames.push_back({block.offset, Bytes(block.bytes.bytes.begin(), block.bytes.bytes.end())});
  }
  HR_CHECK(reader.offset() == reader.size() && reader.skipped_bytes() <= reader.size());
  HR_CHECK(!reader.truncated_offset() || *reader.truncated_offset() < reader.size());
  return frames;
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  MaskedBytes::Key key{};
  const bool is_obfuscated = in.Flag();
  if (is_obfuscated) StoreLittle(key.data(), in.U64());
  const uint64_t step = 1 + in.Below(200);
  const ByteSpan clear = in.Rest();
  Bytes stored(clear.begin(), clear.end());
  for (size_t i = 0; i < stored.size(); ++i) stored[i] ^= key[i % key.size()];

  sim::Wakeup wakeup;
  sim::SimDisk disk(sim::SimEntropy(1), wakeup);
  sim::SimFileSystem files(disk);
  HR_CHECK(files.MakeDirectories("/d").ok());
  const auto write = [&](const std::string& path, ByteSpan bytes) {
    const FileRef file = files.Open(path, OpenMode::kCreate).value();
    HR_CHECK(bytes.empty() || files.WriteAt(file, 0, bytes).ok());
  };
  write("/d/blk00000.dat", stored);
  if (is_obfuscated) write("/d/xor.dat", key);
  const auto open = [&] {
    auto reader = BlockFileReader::Open(files, "/d/blk00000.dat", kMagic);
    HR_CHECK(reader.ok());
    return *std::move(reader);
  };
  const std::vector<Found> frames = Walk(*open(), 0);
  HR_CHECK(Walk(*open(), step) == frames);
  for (size_t i = 0; i < frames.size(); ++i) {
    HR_CHECK(IsFrame(clear, frames[i]) && (i == 0 || frames[i].offset > frames[i - 1].offset));
  }
  if (const auto plain = PlainFrames(clear)) {
    HR_CHECK(frames == *plain);
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint8_t is_obfuscated : {0, 1}) {
    for (uint8_t shape = 0; shape < 6; ++shape) {
      Bytes& input = corpus.emplace_back(1, is_obfuscated);
      ByteWriter writer(input);
      if (is_obfuscated != 0) writer.U64(0x1122334455667788 * (shape + 1u));
      writer.U8(static_cast<uint8_t>(shape * 50));
      for (uint32_t block = 0; block < 1u + shape; ++block) {
        writer.Bytes(kMagic);
        writer.U32(81 + block * 40);
        writer.Bytes(Bytes(81 + block * 40, static_cast<uint8_t>(block + 1)));
      }
      if (shape % 2 == 1) input.resize(input.size() + 100);
      if (shape == 4) input.resize(input.size() - 10);
    }
  }
  return corpus;
}

FUZZ_TARGET(block_file, 3'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
