// One transaction in both encodings against the plain decoder, and the rules that need no unspent set against theirs.
#include "engine/consensus/check_transaction.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/sigops.h"
#include "tests/engine/primitives/random_transactions.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"
#include "tests/reference/plain_check_transaction.h"
#include "tests/reference/plain_sigops.h"

namespace headrace::fuzz {
namespace {

void CheckOne(ByteSpan input, WitnessEncoding encoding) {
  const auto plain = reference::DecodePlainTransaction(input, encoding == WitnessEncoding::kAllowed);
  TransactionColumns columns;
  const AllocationMeter meter;
  const DecodeError error = DecodeTransaction(input, encoding, columns);
  HR_CHECK(meter.peak_bytes() <= 16384 + 40 * input.size());
  HR_CHECK((error == DecodeError::kNone) == plain.has_value());
  if (!plain) return;
  HashTransactions(columns);
  const TransactionView view(columns, 0);
  RequireSameTransaction(view, *plain);
  HR_CHECK(CheckTransaction(view).ok() == testing::PlainCheckTransaction(view));
  uint64_t sigops = 0;
  for (const auto& one : plain->inputs) sigops += testing::PlainScriptSigops(one.script_sig, false);
  for (const auto& one : plain->outputs) sigops += testing::PlainScriptSigops(one.script, false);
  HR_CHECK(CountLegacySigops(view) == sigops);
}

void Run(ByteSpan input) {
  CheckOne(input, WitnessEncoding::kAllowed);
  CheckOne(input, WitnessEncoding::kForbidden);
}

std::vector<Bytes> Corpus() {
  testing::Random random(2);
  std::vector<Bytes> corpus;
  for (int i = 0; i < 30; ++i) {
    reference::PlainTransaction transaction = testing::RandomPlainTransaction(random);
    for (auto& output : transaction.outputs) output.amount &= 0x3ffffffffffff;
    if (i % 5 == 0 && !transaction.inputs.empty()) {
      // A coinbase: one input, which names nothing.
      transaction.inputs.resize(1);
      transaction.inputs[0].previous_txid = {};
      transaction.inputs[0].previous_index = 0xffffffff;
      transaction.inputs[0].script_sig.resize(2 + i);
    }
    if (i % 7 == 0 && !transaction.inputs.empty()) transaction.inputs.push_back(transaction.inputs[0]);
    corpus.push_back(transaction.Serialize(i % 4 != 0));
  }
  // The encoding with witnesses, of which there are none.
  corpus.push_back(testing::EmptyWitnessEncoding(random));
  return corpus;
}

FUZZ_TARGET(transaction_decode, 3'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
