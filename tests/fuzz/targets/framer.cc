// The framer: however a stream is cut, and whether pieces come by way of Consume or straight into a slab, the same
// messages come out, and the same fault ends it. The twin reads the stream in one piece by the words of the protocol.
#include <algorithm>

#include "engine/base/limits.h"
#include "engine/primitives/byte_writer.h"
#include "net/wire/commands.h"
#include "net/wire/framer.h"
#include "net/wire/outgoing_message.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

constexpr NetworkMagic kMagic = {0xfa, 0xbf, 0xb5, 0xda};
// An exact slab is given to blocks that are expected; a stranger who announces one gets a buffer that grows.
constexpr uint32_t kSlabBytesMax = 1 << 17;

struct Outcome {
  std::vector<std::pair<std::string, Bytes>> messages;
  FramingError error = FramingError::kNone;
  bool operator==(const Outcome&) const = default;
};

bool IsPlainCommand(ByteSpan name) {
  const size_t size = static_cast<size_t>(std::find(name.begin(), name.end(), 0) - name.begin());
  if (size == 0) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i < size ? name[i] < 0x20 || name[i] > 0x7e : name[i] != 0) return false;
  }
  return true;
}

Outcome PlainFrames(ByteSpan stream) {
  Outcome outcome;
  while (stream.size() >= 24) {
    const uint32_t size = LoadLittle32(&stream[16]);
    if (!std::equal(kMagic.begin(), kMagic.end(), stream.begin()))
      outcome.error = FramingError::kWrongMagic;
    else if (size > 4'000'000)
      outcome.error = FramingError::kOversized;
    else if (!IsPlainCommand(stream.subspan(4, 12)))
      outcome.error = FramingError::kBadCommand;
    if (outcome.error != FramingError::kNone || stream.size() - 24 < size) return outcome;
    const ByteSpan body = stream.subspan(24, size);
    if (!std::equal(&stream[20], &stream[24], Sha256d(body).begin())) {
      outcome.error = FramingError::kBadChecksum;
      return outcome;
    }
    const std::string name(reinterpret_cast<const char*>(&stream[4]), 12);
    outcome.messages.emplace_back(name.c_str(), Bytes(body.begin(), body.end()));
    stream = stream.subspan(24 + size);
  }
  return outcome;
}

void Take(Framer& framer, Outcome& outcome) {
  if (!framer.has_message()) return;
  const Message message = framer.TakeMessage();
  outcome.messages.emplace_back(message.command.name(), Bytes(message.body.begin(), message.body.end()));
}

Outcome CutFrames(ByteSpan stream, uint64_t cuts) {
  Framer framer(kMagic, [](const Command& command, uint32_t size) {
    return command == commands::kBlock && size <= kSlabBytesMax ? std::make_shared<Slab>(size) : nullptr;
  });
  Outcome outcome;
  while (!stream.empty() && framer.error() == FramingError::kNone) {
    cuts = cuts * 6364136223846793005u + 1442695040888963407u;
    // Short pieces and long ones, so that headers are cut too and direct targets are reached.
    const size_t piece_max = (cuts >> 60) < 8 ? 30 : 20'000;
    const size_t piece = std::min<size_t>(stream.size(), 1 + (cuts >> 33) % piece_max);
    const MutableByteSpan target = framer.DirectTarget();
    if (!target.empty() && (cuts >> 32 & 1) != 0) {
      const size_t size = std::min(piece, target.size());
      std::copy_n(stream.begin(), size, target.begin());
      framer.CommitDirect(size);
      stream = stream.subspan(size);
      Take(framer, outcome);
      continue;
    }
    // The piece is gone when the framer is fed again, as a receive buffer is.
    const Bytes copy(stream.begin(), stream.begin() + piece);
    stream = stream.subspan(piece);
    for (ByteSpan rest = copy; !rest.empty() && framer.error() == FramingError::kNone;) {
      const size_t taken = framer.Consume(rest);
      HR_CHECK(taken > 0 && taken <= rest.size());
      rest = rest.subspan(taken);
      Take(framer, outcome);
    }
  }
  // An empty body completes with its header; nothing is left to take.
  outcome.error = framer.error();
  if (outcome.error != FramingError::kNone) {
    HR_CHECK(framer.Consume(Bytes(1)) == 0 && !framer.has_message() && !FramingErrorText(outcome.error).empty());
  }
  return outcome;
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint64_t cuts = in.U64();
  const bool repairs = in.Flag();
  const ByteSpan rest = in.Rest();
  Bytes stream(rest.begin(), rest.end());
  // Checksums that hold, so that more than the first message is seen; a stranger can compute them too.
  for (size_t at = 0; repairs && at + 24 <= stream.size();) {
    const uint32_t size = LoadLittle32(&stream[at + 16]);
    if (size > stream.size() - at - 24) break;
    const auto checksum = MessageChecksum(ByteSpan(stream).subspan(at + 24, size));
    std::copy(checksum.begin(), checksum.end(), stream.begin() + at + 20);
    at += 24 + size;
  }
  const Outcome expected = PlainFrames(stream);
  const AllocationMeter meter;
  HR_CHECK(CutFrames(stream, cuts) == expected);
  HR_CHECK(meter.peak_bytes() <= 16 * stream.size() + 4 * kSlabBytesMax);
  HR_CHECK(CutFrames(stream, ~cuts) == expected);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (uint8_t shape = 0; shape < 12; ++shape) {
    Bytes input(8, static_cast<uint8_t>(shape * 37));
    input.push_back(shape & 1);
    for (uint8_t message = 0; message < 1 + shape % 4; ++message) {
      const size_t size = message == 2 ? 30'000 : static_cast<size_t>(message) * shape * 9;
      const Command& command = message % 2 == 0 ? commands::kBlock
                               : message == 1   ? commands::kVerack
                                                : commands::kHeaders;
      const SharedBytes bytes = EncodeMessage(kMagic, command, Bytes(size, shape));
      ByteWriter(input).Bytes(bytes.bytes);
    }
    corpus.push_back(input);
  }
  return corpus;
}

FUZZ_TARGET(framer, 2'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
