#include "engine/primitives/transaction_hashes.h"

#include <cstring>
#include <vector>

#include "engine/crypto/sha256.h"
#include "engine/primitives/transaction_view.h"

namespace headrace {
namespace {

// Memory that stays with the thread from block to block.
struct Scratch {
  std::vector<ByteSpan> messages;
  std::vector<Digest256> digests;
  std::vector<uint8_t> stripped;
};

}  // namespace

// All hashes of a block in one batch: wtxids first, then the txids of those that have a witness, whose three pieces are put
// together for it (a copy, beside two hashes of the same bytes).
void HashTransactions(TransactionColumns& columns) {
  thread_local Scratch scratch;
  const uint32_t count = columns.transaction_count();
  size_t stripped_bytes = 0;
  scratch.messages.clear();
  for (uint32_t t = 0; t < count; ++t) {
    scratch.messages.push_back(TransactionView(columns, t).serialized());
    if (columns.has_witness[t] != 0) stripped_bytes += 8 + columns.body[t].size;
  }
  scratch.stripped.resize(stripped_bytes);
  uint8_t* at = scratch.stripped.data();
  for (uint32_t t = 0; t < count; ++t) {
    if (columns.has_witness[t] == 0) continue;
    const ByteSpan whole = scratch.messages[t];
    const ByteSpan body = columns.body[t].In(columns.raw);
    std::memcpy(at, whole.data(), 4);
    std::memcpy(at + 4, body.data(), body.size());
    std::memcpy(at + 4 + body.size(), whole.last(4).data(), 4);
    scratch.messages.push_back({at, 8 + body.size()});
    at += 8 + body.size();
  }
  scratch.digests.resize(scratch.messages.size());
  Sha256dMany(scratch.messages, scratch.digests.data());
  size_t next_stripped = count;
  for (uint32_t t = 0; t < count; ++t) {
    columns.wtxid[t] = Hash256(scratch.digests[t]);
    columns.txid[t] = columns.has_witness[t] == 0 ? columns.wtxid[t] : Hash256(scratch.digests[next_stripped++]);
  }
}

}  // namespace headrace
