// The sums and hashes of a naive set, one coin after another.
#pragma once

#include <gtest/gtest.h>

#include "engine/crypto/muhash.h"
#include "engine/ports/coin_store.h"
#include "engine/primitives/byte_writer.h"
#include "tests/reference/naive_coin_set.h"

namespace headrace::testing {

inline CoinSetStatistics SumsOf(const NaiveCoinSet& set) {
  CoinSetStatistics statistics;
  Sha256Hasher hasher;
  MuHash muhash;
  std::set<Hash256> transactions;
  for (const auto& [outpoint, coin] : set.coins()) {
    std::vector<uint8_t> bytes;
    ByteWriter writer(bytes);
    writer.Bytes(outpoint.txid.span());
    writer.U32(outpoint.index);
    writer.U32(coin.height * 2 + (coin.is_coinbase ? 1 : 0));
    writer.U64(static_cast<uint64_t>(coin.amount));
    writer.VarBytes(coin.script);
    hasher.Write(bytes);
    muhash.Insert(bytes);
    transactions.insert(outpoint.txid);
    ++statistics.coins;
    statistics.total_amount += coin.amount;
    statistics.bogosize += 50 + coin.script.size();
  }
  statistics.transactions = transactions.size();
  statistics.hash_serialized = Hash256(hasher.FinishDouble());
  statistics.muhash = Hash256(muhash.Finish());
  return statistics;
}

// Everything but the block.
inline void ExpectSameSums(const CoinSetStatistics& got, const CoinSetStatistics& expected) {
  EXPECT_EQ(got.coins, expected.coins);
  EXPECT_EQ(got.transactions, expected.transactions);
  EXPECT_EQ(got.total_amount, expected.total_amount);
  EXPECT_EQ(got.bogosize, expected.bogosize);
  EXPECT_EQ(got.hash_serialized.ToHex(), expected.hash_serialized.ToHex());
  EXPECT_EQ(got.muhash.ToHex(), expected.muhash.ToHex());
}

}  // namespace headrace::testing
