#include "engine/primitives/compact_block.h"

#include <array>

#include "engine/base/endian.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {

uint64_t TransactionBytes(const BlockTransactions& answer) {
  uint64_t bytes = 0;
  for (const std::vector<uint8_t>& transaction : answer.transactions) bytes += transaction.size();
  return bytes;
}

ShortIdKey::ShortIdKey(const BlockHeader& header, uint64_t nonce) {
  std::array<uint8_t, BlockHeader::kSerializedBytes + sizeof(nonce)> input;
  header.Store(input.data());
  StoreLittle(&input[BlockHeader::kSerializedBytes], nonce);
  const Digest256 digest = Sha256(input);
  key_[0] = LoadLittle64(&digest[0]);
  key_[1] = LoadLittle64(&digest[8]);
}

uint64_t ShortIdKey::ShortId(const Hash256& wtxid) const {
  return SipHash24(key_[0], key_[1], wtxid.span()) & 0xffff'ffff'ffff;
}

CompactBlock MakeCompactBlock(const BlockColumns& block, uint64_t nonce) {
  CompactBlock compact;
  compact.header = block.header;
  compact.nonce = nonce;
  const ShortIdKey key(block.header, nonce);
  for (uint32_t t = 0; t < block.transaction_count(); ++t) {
    const TransactionView transaction = block.transaction(t);
    if (t == 0) {
      const ByteSpan bytes = transaction.serialized();
      compact.prefilled.push_back({0, {bytes.begin(), bytes.end()}});
    } else {
      compact.short_ids.push_back(key.ShortId(transaction.wtxid()));
    }
  }
  return compact;
}

}  // namespace headrace
