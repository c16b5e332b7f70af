#include "bench/storage/coins/coin_sequence.h"

#include <cstring>

#include "engine/base/endian.h"

namespace headrace::bench {
namespace {

// One number a coin for each purpose.
constexpr uint64_t kAmountSalt = 0x616d6f756e740000;
constexpr uint64_t kKindSalt = 0x6b696e6400000000;
constexpr uint64_t kScriptSalt = 0x7363726970740000;

// The position of a group's coin: which of its transactions, which output.
constexpr uint8_t kTransactionInGroup[CoinSequence::kGroupCoins] = {0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3};
constexpr uint8_t kOutputInTransaction[CoinSequence::kGroupCoins] = {0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 4};

// A script: bytes before a hash or key, its size, bytes behind. `percent` sums up over the table.
struct ScriptForm {
  uint32_t percent_through;
  uint8_t head_size;
  uint8_t head[4];
  uint8_t payload_bytes;
  uint8_t tail_size;
  uint8_t tail[2];
};
constexpr ScriptForm kForms[] = {
    {36, 3, {0x76, 0xa9, 0x14}, 20, 2, {0x88, 0xac}},  // P2PKH
    {65, 2, {0x00, 0x14}, 20, 0, {}},                  // P2WPKH
    {77, 2, {0xa9, 0x14}, 20, 1, {0x87}},              // P2SH
    {95, 2, {0x51, 0x20}, 32, 0, {}},                  // P2TR
    {98, 2, {0x00, 0x20}, 32, 0, {}},                  // P2WSH
    {99, 2, {0x21, 0x02}, 32, 1, {0xac}},              // P2PK
    {100, 3, {0x51, 0x21, 0x02}, 66, 2, {0x52, 0xae}}  // one of two bare keys; the second key is all payload
};

}  // namespace

uint64_t CoinSequence::TransactionOf(uint64_t coin) {
  return coin / kGroupCoins * kGroupTransactions + kTransactionInGroup[coin % kGroupCoins];
}

Hash256 CoinSequence::TxidOf(uint64_t transaction) const {
  // The first word alone tells transactions apart, because Scramble never maps two numbers to one.
  Hash256 txid;
  for (uint64_t word = 0; word < 4; ++word) {
    StoreLittle(&txid.bytes[word * 8], Scramble((transaction ^ key_) + (word << 56)));
  }
  return txid;
}

OutPoint CoinSequence::OutPointOf(uint64_t coin) const {
  return {TxidOf(TransactionOf(coin)), kOutputInTransaction[coin % kGroupCoins]};
}

Amount CoinSequence::AmountOf(uint64_t coin) const {
  const uint64_t random = Scramble(coin ^ key_ ^ kAmountSalt);
  const uint64_t dice = random % 10;
  if (dice < 2) return static_cast<Amount>((random >> 8) % 1000 + 1) * 100'000;
  if (dice == 2) return 546;
  // 2^8 to 2^34 satoshi, every magnitude alike.
  const uint64_t bits = 8 + (random >> 8) % 26;
  return static_cast<Amount>((uint64_t{1} << bits) | ((random >> 20) & ((uint64_t{1} << bits) - 1)));
}

uint32_t CoinSequence::WriteScript(uint64_t coin, uint8_t* out) const {
  const uint64_t dice = Scramble(coin ^ key_ ^ kKindSalt) % 100;
  const ScriptForm* form = kForms;
  while (dice >= form->percent_through) ++form;
  uint8_t* at = out;
  std::memcpy(at, form->head, form->head_size);
  at += form->head_size;
  uint8_t payload[72];
  for (uint64_t word = 0; word * 8 < form->payload_bytes; ++word) {
    StoreLittle(payload + word * 8, Scramble((coin ^ key_ ^ kScriptSalt) + (word << 56)));
  }
  std::memcpy(at, payload, form->payload_bytes);
  // The second key of a bare script is pushed as the first one is.
  if (form->payload_bytes == 66) {
    at[32] = 0x21;
    at[33] = 0x03;
  }
  at += form->payload_bytes;
  std::memcpy(at, form->tail, form->tail_size);
  at += form->tail_size;
  return static_cast<uint32_t>(at - out);
}

}  // namespace headrace::bench
