#include "tests/fuzz/mutation.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/endian.h"

namespace headrace::fuzz {
namespace {

// Where encodings change their width, signs flip and limits of the network stand.
constexpr std::array<uint64_t, 28> kEdges = {
    0,      1,       2,          0x10,       0x4b,       0x4c,        0x7f,
    0x80,   0xfc,    0xfd,       0xfe,       0xff,       0x100,       520,
    521,    2000,    2001,       10'000,     10'001,     50'000,      0x7fff,
    0xffff, 0x10000, 0x02000000, 0x7fffffff, 0xffffffff, 0x100000000, 0x7fffffffffffffff};

size_t Below(Random& random, size_t bound) { return static_cast<size_t>(random() % bound); }

// Most changes are small, and a large one is worth a try.
size_t RunLength(Random& random, size_t size_max) {
  if (size_max == 0) return 0;
  return 1 + Below(random, std::min<size_t>(size_max, random() % 4 == 0 ? size_max : 8));
}

void Insert(Bytes& bytes, size_t at, ByteSpan run) { bytes.insert(bytes.begin() + at, run.begin(), run.end()); }

Bytes RandomRun(Random& random, size_t size) {
  Bytes run(size, static_cast<uint8_t>(random()));
  if (random() % 2 == 0) {
    for (uint8_t& byte : run) byte = static_cast<uint8_t>(random());
  }
  return run;
}

void WriteEdge(Random& random, Bytes& bytes) {
  const uint64_t edge = kEdges[Below(random, kEdges.size())] + (random() % 4 == 0 ? random() % 3 - 1 : 0);
  const size_t width = size_t{1} << Below(random, 4);
  uint8_t number[8];
  StoreLittle(number, edge);
  if (random() % 4 == 0) std::reverse(number, number + width);
  if (random() % 8 == 0) {
    // A compact size of this width, shortest or not.
    constexpr std::array<uint8_t, 4> kMarks = {0, 0xfd, 0xfe, 0xff};
    const size_t at = Below(random, bytes.size() + 1);
    Insert(bytes, at, {number, width});
    if (width > 1) bytes.insert(bytes.begin() + at, kMarks[width == 2 ? 1 : width == 4 ? 2 : 3]);
    return;
  }
  if (bytes.size() < width) return Insert(bytes, bytes.size(), {number, width});
  std::memcpy(&bytes[Below(random, bytes.size() - width + 1)], number, width);
}

void Splice(Random& random, Bytes& bytes, const Bytes& other) {
  if (other.empty()) return;
  const size_t from = Below(random, other.size());
  const ByteSpan run = ByteSpan(other).subspan(from, RunLength(random, other.size() - from));
  const size_t at = Below(random, bytes.size() + 1);
  if (random() % 2 == 0) return Insert(bytes, at, run);
  bytes.resize(std::max(bytes.size(), at + run.size()));
  std::copy(run.begin(), run.end(), bytes.begin() + at);
}

void Change(Random& random, Bytes& bytes, std::span<const Bytes> corpus) {
  if (bytes.empty()) return Insert(bytes, 0, RandomRun(random, 1 + Below(random, 16)));
  // Counts and flags stand near the front as often as anywhere.
  const size_t at = Below(random, random() % 2 == 0 ? std::min<size_t>(bytes.size(), 100) : bytes.size());
  const size_t run = RunLength(random, bytes.size() - at);
  switch (random() % 11) {
    case 0:
      bytes[at] ^= static_cast<uint8_t>(1u << Below(random, 8));
      break;
    case 1:
      bytes[at] = static_cast<uint8_t>(random());
      break;
    case 2:
      bytes[at] = static_cast<uint8_t>(bytes[at] + (random() % 2 == 0 ? 1 : 0xff));
      break;
    case 3:
      Insert(bytes, at, RandomRun(random, 1 + Below(random, random() % 8 == 0 ? 300 : 8)));
      break;
    case 4:
      bytes.erase(bytes.begin() + at, bytes.begin() + at + run);
      break;
    case 5:
      bytes.resize(at);
      break;
    case 6:
      Insert(bytes, Below(random, bytes.size() + 1), Bytes(bytes.begin() + at, bytes.begin() + at + run));
      break;
    case 7:
      std::copy_n(Bytes(bytes.begin() + at, bytes.begin() + at + run).begin(), std::min(run, bytes.size() / 2),
                  bytes.begin());
      break;
    case 8:
      Splice(random, bytes, corpus[Below(random, corpus.size())]);
      break;
    default:
      WriteEdge(random, bytes);
      break;
  }
}

}  // namespace

Bytes MakeInput(Random& random, std::span<const Bytes> corpus, size_t size_max) {
  Bytes bytes;
  if (corpus.empty() || random() % 32 == 0) {
    bytes = RandomRun(random, Below(random, 300));
    if (corpus.empty()) return bytes;
  } else {
    bytes = corpus[Below(random, corpus.size())];
  }
  if (random() % 64 == 0) return bytes;
  for (uint64_t changes = uint64_t{1} << random() % 5; changes != 0; --changes) Change(random, bytes, corpus);
  if (bytes.size() > size_max) bytes.resize(size_max);
  return bytes;
}

}  // namespace headrace::fuzz
