// One transaction of a set of columns: what script checks and transaction rules look at. Two words, passed by value.
#pragma once

#include "engine/primitives/transaction_columns.h"

namespace headrace {

class TransactionView {
 public:
  TransactionView(const TransactionColumns& columns, uint32_t transaction) : columns_(&columns), transaction_(transaction) {}

  const TransactionColumns& columns() const { return *columns_; }
  uint32_t transaction_index() const { return transaction_; }

  int32_t version() const { return columns_->version[transaction_]; }
  uint32_t lock_time() const { return columns_->lock_time[transaction_]; }
  const Hash256& txid() const { return columns_->txid[transaction_]; }
  const Hash256& wtxid() const { return columns_->wtxid[transaction_]; }
  bool has_witness() const { return columns_->has_witness[transaction_] != 0; }

  uint32_t first_input() const { return columns_->first_input[transaction_]; }
  uint32_t first_output() const { return columns_->first_output[transaction_]; }
  uint32_t input_count() const { return columns_->first_input[transaction_ + 1] - first_input(); }
  uint32_t output_count() const { return columns_->first_output[transaction_ + 1] - first_output(); }

  // `input` and `output` count from the transaction's first.
  OutPoint prevout(uint32_t input) const { return columns_->prevout(first_input() + input); }
  const uint8_t* prevout_bytes(uint32_t input) const { return columns_->prevout_bytes(first_input() + input); }
  ByteSpan script_sig(uint32_t input) const { return columns_->script_sig[first_input() + input].In(columns_->raw); }
  uint32_t sequence(uint32_t input) const { return columns_->sequence[first_input() + input]; }
  // The serialised stack (item count, then items); empty when the transaction has no witness.
  ByteSpan witness(uint32_t input) const { return columns_->witness[first_input() + input].In(columns_->raw); }
  Amount amount(uint32_t output) const { return columns_->amount[first_output() + output]; }
  ByteSpan script_pubkey(uint32_t output) const {
    return columns_->script_pubkey[first_output() + output].In(columns_->raw);
  }

  // The serialisation with witness, and its size; the size without.
  ByteSpan serialized() const {
    const uint32_t begin = columns_->begin[transaction_];
    return columns_->raw.subspan(begin, columns_->begin[transaction_ + 1] - begin);
  }
  uint32_t total_size() const { return columns_->begin[transaction_ + 1] - columns_->begin[transaction_]; }
  uint32_t stripped_size() const { return 4 + columns_->body[transaction_].size + 4; }
  uint32_t weight() const { return stripped_size() * 3 + total_size(); }

  // BIP34's and everybody's coinbase: one input that names the null outpoint.
  bool IsCoinbase() const { return input_count() == 1 && prevout(0).IsNull(); }

 private:
  const TransactionColumns* columns_;
  uint32_t transaction_;
};

}  // namespace headrace
