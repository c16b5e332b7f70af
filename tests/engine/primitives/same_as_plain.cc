#include "tests/engine/primitives/same_as_plain.h"

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/encode.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::testing {

std::vector<std::vector<uint8_t>> WitnessItems(ByteSpan stack) {
  std::vector<std::vector<uint8_t>> items;
  if (stack.empty()) return items;
  ByteReader reader(stack);
  for (uint32_t count = reader.CompactSize(); count != 0 && reader.ok(); --count) items.push_back(BytesOf(reader.VarBytes()));
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
  return items;
}

void ExpectSameTransaction(TransactionView view, const reference::PlainTransaction& plain) {
  EXPECT_EQ(view.version(), plain.version);
  EXPECT_EQ(view.lock_time(), plain.lock_time);
  EXPECT_EQ(view.has_witness(), plain.HasWitness());
  ASSERT_EQ(view.input_count(), plain.inputs.size());
  ASSERT_EQ(view.output_count(), plain.outputs.size());
  for (uint32_t i = 0; i < view.input_count(); ++i) {
    const reference::PlainInput& input = plain.inputs[i];
    EXPECT_EQ(view.prevout(i), (OutPoint{Hash256(input.previous_txid), input.previous_index}));
    EXPECT_EQ(BytesOf(view.script_sig(i)), input.script_sig);
    EXPECT_EQ(view.sequence(i), input.sequence);
    EXPECT_EQ(WitnessItems(view.witness(i)), input.witness);
    EXPECT_EQ(view.witness(i).empty(), !plain.HasWitness());
  }
  for (uint32_t i = 0; i < view.output_count(); ++i) {
    EXPECT_EQ(view.amount(i), plain.outputs[i].amount);
    EXPECT_EQ(BytesOf(view.script_pubkey(i)), plain.outputs[i].script);
  }
  EXPECT_EQ(BytesOf(view.serialized()), plain.Serialize(true));
  // Taken apart and put together again by the engine's own encoder.
  const MutableTransaction unpacked = Unpack(view);
  EXPECT_EQ(unpacked.Serialize(true), plain.Serialize(true));
  EXPECT_EQ(unpacked.Serialize(false), plain.Serialize(false));
  EXPECT_EQ(unpacked.Txid(), Hash256(plain.Txid()));
  EXPECT_EQ(view.total_size(), plain.Serialize(true).size());
  EXPECT_EQ(view.stripped_size(), plain.Serialize(false).size());
  EXPECT_EQ(view.weight(), plain.Serialize(false).size() * 3 + plain.Serialize(true).size());
  std::vector<uint8_t> stripped;
  AppendTransactionStripped(view, stripped);
  EXPECT_EQ(stripped, plain.Serialize(false));
  EXPECT_EQ(view.txid(), Hash256(plain.Txid()));
  EXPECT_EQ(view.wtxid(), Hash256(plain.Wtxid()));
}

void ExpectSameBlock(const BlockColumns& columns, const reference::PlainBlock& plain) {
  EXPECT_EQ(BytesOf(columns.header.Serialize()), plain.header);
  EXPECT_EQ(columns.hash, Hash256(Sha256d(plain.header)));
  ASSERT_EQ(columns.transaction_count(), plain.transactions.size());
  for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
    ExpectSameTransaction(columns.transaction(t), plain.transactions[t]);
  }
  EXPECT_EQ(BytesOf(columns.raw), plain.Serialize(true));
  EXPECT_EQ(BytesOf(EncodeBlockStripped(columns)->bytes()), plain.Serialize(false));
  EXPECT_EQ(columns.stripped_size(), plain.Serialize(false).size());
  EXPECT_EQ(columns.weight(), plain.Serialize(false).size() * 3 + plain.Serialize(true).size());
}

}  // namespace headrace::testing
