// inv, getdata and notfound.
#include "engine/base/limits.h"
#include "net/wire/inventory_messages.h"
#include "tests/fuzz/decoder_oracle.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  using Items = std::vector<InventoryItem>;
  RequireExactDecoder<Items>(input, 4, DecodeInventory, EncodeInventory);
  Items items;
  if (DecodeInventory(input, items) == DecodeError::kNone) HR_CHECK(items.size() <= kMaxInventoryPerMessage);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint32_t count : {0u, 1u, 2u, 253u, 500u}) {
    std::vector<InventoryItem> items;
    for (uint32_t i = 0; i < count; ++i) {
      items.push_back({i % 2 == 0 ? kInvWitnessBlock : kInvTransaction, Hash256(Sha256(Bytes(i, 7)))});
    }
    EncodeInventory(items, corpus.emplace_back());
  }
  // A count at the limit and beyond, and few items behind it.
  corpus.push_back({0xfd, 0x50, 0xc3, 1, 0, 0, 0});
  corpus.push_back({0xfd, 0x51, 0xc3, 1, 0, 0, 0});
  return corpus;
}

FUZZ_TARGET(inventory_message, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
