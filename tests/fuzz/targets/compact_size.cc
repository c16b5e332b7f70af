// The sticky reader and its writer: a random sequence of reads against a twin that works on a shrinking copy.
#include <algorithm>
#include <optional>

#include "engine/base/limits.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

// Reads from a copy by arithmetic; forgets everything at the first fault.
class PlainReader {
 public:
  explicit PlainReader(ByteSpan bytes) : bytes_(bytes.begin(), bytes.end()) {}

  std::optional<uint64_t> Number(size_t width) {
    if (!ok_ || bytes_.size() < width) return Fault();
    uint64_t number = 0;
    for (size_t i = width; i-- > 0;) number = number * 256 + bytes_[i];
    bytes_.erase(bytes_.begin(), bytes_.begin() + width);
    return number;
  }

  std::optional<uint64_t> CompactSize(uint64_t most) {
    const auto first = Number(1);
    if (!first) return std::nullopt;
    if (*first < 0xfd) return first;
    const auto number = Number(*first == 0xfd ? 2 : *first == 0xfe ? 4 : 8);
    if (!number) return std::nullopt;
    Bytes shortest;
    ByteWriter(shortest).CompactSize(*number);
    if (shortest[0] != *first || *number > most) return Fault();
    return number;
  }

  std::optional<Bytes> Take(uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      Fault();
      return std::nullopt;
    }
    const Bytes taken(bytes_.begin(), bytes_.begin() + size);
    bytes_.erase(bytes_.begin(), bytes_.begin() + size);
    return taken;
  }

  bool ok() const { return ok_; }
  size_t remaining() const { return bytes_.size(); }

 private:
  std::nullopt_t Fault() {
    ok_ = false;
    return std::nullopt;
  }

  Bytes bytes_;
  bool ok_ = true;
};

void RequireSame(ByteSpan span, const std::optional<Bytes>& plain) {
  const Bytes expected = plain.value_or(Bytes());
  HR_CHECK(std::equal(span.begin(), span.end(), expected.begin(), expected.end()));
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const ByteSpan operations = in.Take(32);
  const ByteSpan data = in.Rest();
  ByteReader reader(data);
  PlainReader plain(data);
  for (const uint8_t operation : operations) {
    switch (operation % 8) {
      case 0:
        HR_CHECK(reader.U8() == plain.Number(1).value_or(0));
        break;
      case 1:
        HR_CHECK(reader.U16() == plain.Number(2).value_or(0));
        break;
      case 2:
        HR_CHECK(reader.U32() == plain.Number(4).value_or(0));
        break;
      case 3:
        HR_CHECK(reader.U64() == plain.Number(8).value_or(0));
        break;
      case 4:
        HR_CHECK(reader.CompactSize() == plain.CompactSize(kMaxCompactSize).value_or(0));
        break;
      case 5:
        HR_CHECK(reader.CompactSize64() == plain.CompactSize(~uint64_t{0}).value_or(0));
        break;
      case 6:
        RequireSame(reader.Bytes(operation / 8u), plain.Take(operation / 8u));
        break;
      default: {
        const auto size = plain.CompactSize(kMaxCompactSize);
        const std::optional<Bytes> expected = size ? plain.Take(*size) : std::nullopt;
        RequireSame((operation & 8) != 0 ? reader.VarBytes() : reader.VarRange().In(data), expected);
      }
    }
    HR_CHECK(reader.ok() == plain.ok());
    if (!reader.ok()) return;
    HR_CHECK(reader.remaining() == plain.remaining() && reader.offset() + reader.remaining() == data.size());
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint64_t number : {uint64_t{0}, uint64_t{0xfc}, uint64_t{0xfd}, uint64_t{0xffff}, uint64_t{0x10000},
                                uint64_t{kMaxCompactSize}, uint64_t{kMaxCompactSize} + 1, uint64_t{0x100000000}}) {
    for (const uint8_t operation : {4, 5, 7, 15}) {
      Bytes& input = corpus.emplace_back(32, operation);
      for (int i = 0; i < 4; ++i) ByteWriter(input).CompactSize(number >> i);
      input.resize(input.size() + 300);
    }
  }
  return corpus;
}

FUZZ_TARGET(compact_size, 50'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
