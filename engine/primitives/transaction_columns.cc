#include "engine/primitives/transaction_columns.h"

namespace headrace {

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

}  // namespace headrace
