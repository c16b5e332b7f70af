#include "engine/primitives/transaction_columns.h"

namespace headrace {
namespace {

template <typename... Columns>
uint64_t CapacityOf(const Columns&... columns) {
  return (... + (columns.capacity() * sizeof(typename Columns::value_type)));
}

}  // namespace

void TransactionColumns::Clear() {
  raw = {};
  begin.clear();
  first_input.clear();
  first_output.clear();
  version.clear();
  lock_time.clear();
  body.clear();
  has_witness.clear();
  txid.clear();
  wtxid.clear();
  prevout_offset.clear();
  script_sig.clear();
  sequence.clear();
  witness.clear();
  amount.clear();
  script_pubkey.clear();
}

uint64_t TransactionColumns::capacity_bytes() const {
  return CapacityOf(begin, first_input, first_output, version, lock_time, body, has_witness, txid, wtxid,
                    prevout_offset, script_sig, sequence, witness, amount, script_pubkey);
}

}  // namespace headrace
