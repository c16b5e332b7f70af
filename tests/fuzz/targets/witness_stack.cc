// A serialised witness that is counted and looked at without being unpacked, against one that is unpacked.
#include "engine/script/witness_stack.h"

#include <optional>

#include "engine/primitives/byte_writer.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"

namespace headrace::fuzz {
namespace {

// Whole items, and nothing where a count or an item promises more than there is.
std::vector<Bytes> PlainItems(ByteSpan serialized) {
  ByteReader reader(serialized);
  const uint32_t count = reader.CompactSize();
  std::vector<Bytes> items;
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const ByteSpan item = reader.VarBytes();
    items.emplace_back(item.begin(), item.end());
  }
  return reader.ok() ? items : std::vector<Bytes>();
}

void Run(ByteSpan input) {
  const std::vector<Bytes> items = PlainItems(input);
  // A count that its bytes do not hold is answered at once, not after a walk of that many steps.
  const WitnessStack witness(input);
  HR_CHECK(witness.size() == items.size() && witness.empty() == items.empty());
  for (size_t depth = 1; depth <= std::min(items.size(), WitnessStack::kTopItems); ++depth) {
    HR_CHECK(IsSame(witness.Top(depth), items[items.size() - depth]));
  }
  for (const size_t count : {size_t{0}, items.size() / 2, items.size()}) {
    size_t visited = 0;
    const bool all = witness.VisitFirst(count, [&](size_t index, ByteSpan item) {
      HR_CHECK(index == visited && IsSame(item, items[index]));
      return ++visited != 7;
    });
    HR_CHECK(visited == std::min<size_t>(count, 7) && all == (count < 7));
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus{{}, {0}, {1, 0}};
  for (const size_t items : {1u, 2u, 3u, 4u, 6u, 7u, 8u, 260u}) {
    ByteWriter writer(corpus.emplace_back());
    writer.CompactSize(items);
    for (size_t i = 0; i < items; ++i) writer.VarBytes(Bytes(i * 3 % 300, static_cast<uint8_t>(i)));
  }
  ByteWriter(corpus.emplace_back()).CompactSize(0x02000000);
  return corpus;
}

FUZZ_TARGET(witness_stack, 20'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
