// The block decoder against the plain one, field by field, and what is computed over its columns: hashes, stripped
// encoding, Merkle roots.
#include "engine/consensus/merkle.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/encode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/engine/primitives/random_transactions.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"
#include "tests/reference/plain_merkle.h"

namespace headrace::fuzz {
namespace {

void RequireSameBlock(const BlockColumns& columns, const reference::PlainBlock& plain) {
  HR_CHECK(IsSame(columns.header.Serialize(), plain.header));
  HR_CHECK(columns.hash == Hash256(Sha256(Sha256(plain.header))));
  HR_CHECK(columns.transaction_count() == plain.transactions.size());
  for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
    RequireSameTransaction(columns.transaction(t), plain.transactions[t]);
  }
  const Bytes stripped = plain.Serialize(false);
  HR_CHECK(IsSame(columns.raw, plain.Serialize(true)) && IsSame(EncodeBlockStripped(columns)->bytes(), stripped));
  HR_CHECK(columns.stripped_size() == stripped.size());
  HR_CHECK(columns.weight() == stripped.size() * 3 + columns.raw.size());
}

void RequireSameRoots(const BlockColumns& columns, const reference::PlainBlock& plain) {
  std::vector<Hash256> buffer;
  const MerkleRoot root = ComputeMerkleRoot(columns.txid, buffer);
  const testing::PlainTree tree = testing::PlainMerkleTree(columns.txid);
  HR_CHECK(root.root == tree.root && root.is_ambiguous == tree.has_equal_pair);
  HR_CHECK(plain.transactions.empty() || root.root == Hash256(plain.MerkleRoot()));
  HR_CHECK(ComputeWitnessRoot(columns.wtxid, buffer) == testing::PlainWitnessRoot(columns.wtxid));
}

void Run(ByteSpan input) {
  // Columns that a block was decoded into before, as a job's are, hold on to nothing of it.
  static BlockColumns used;
  const std::optional<reference::PlainBlock> plain = reference::DecodePlainBlock(input);
  BlockColumns columns;
  const AllocationMeter meter;
  const DecodeError error = DecodeBlock(input, columns);
  // A transaction of ten bytes takes 93 in columns, an input of 41 takes 24, an output of nine 16; vectors double.
  HR_CHECK(meter.peak_bytes() <= 16384 + 40 * input.size());
  HR_CHECK((error == DecodeError::kNone) == plain.has_value());
  HR_CHECK(DecodeBlock(input, used) == error);
  if (!plain) return;
  for (BlockColumns* each : {&columns, &used}) {
    HashTransactions(*each);
    RequireSameBlock(*each, *plain);
  }
  RequireSameRoots(columns, *plain);
}

std::vector<Bytes> Corpus() {
  testing::Random random(1);
  std::vector<Bytes> corpus;
  for (int i = 0; i < 24; ++i) corpus.push_back(testing::RandomBlock(random).Serialize(true));
  // One transaction in the encoding with witnesses, of which there are none.
  Bytes superfluous(81, 1);
  const Bytes transaction = testing::EmptyWitnessEncoding(random);
  superfluous.insert(superfluous.end(), transaction.begin(), transaction.end());
  corpus.push_back(superfluous);
  return corpus;
}

FUZZ_TARGET(block_decode, 1'500, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
