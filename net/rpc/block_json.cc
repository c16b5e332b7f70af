#include "net/rpc/block_json.h"

#include <cmath>
#include <cstdio>

#include "engine/base/hex.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/targets.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/witness_stack.h"
#include "net/rpc/rpc_error.h"

namespace headrace {
namespace {

std::string EightDigits(uint32_t value) {
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", value);
  return text;
}

Json CoinbaseJson(const TransactionView& coinbase) {
  Json json = Json::object();
  json["version"] = static_cast<uint32_t>(coinbase.version());
  json["locktime"] = coinbase.lock_time();
  json["sequence"] = coinbase.sequence(0);
  json["coinbase"] = HexEncode(coinbase.script_sig(0));
  // One item of 32 bytes, or the block would not be here.
  const ByteSpan witness = coinbase.witness(0);
  constexpr size_t kCountAndSize = 2;
  if (witness.size() > kCountAndSize) json["witness"] = HexEncode(witness.subspan(kCountAndSize));
  return json;
}

}  // namespace

double DifficultyOf(uint32_t bits) {
  constexpr int kExponentOfOne = 29;
  const double mantissa = 65535.0 / static_cast<double>(bits & 0x00ffffff);
  // A power of 256 changes nothing but the exponent: exact.
  return std::ldexp(mantissa, 8 * (kExponentOfOne - static_cast<int>(bits >> 24)));
}

std::string BitsText(uint32_t bits) { return EightDigits(bits); }

std::string TargetText(uint32_t bits) { return DecodeCompact(bits).value.ToHex(); }

Json HeaderJson(const BlockFacts& block) {
  const BlockHeader& header = block.header;
  Json json = Json::object();
  json["hash"] = block.hash.ToHex();
  json["confirmations"] = block.confirmations;
  json["height"] = block.height;
  json["version"] = header.version;
  json["versionHex"] = EightDigits(static_cast<uint32_t>(header.version));
  json["merkleroot"] = header.merkle_root.ToHex();
  json["time"] = header.time_s;
  json["mediantime"] = block.median_time_past_s;
  json["nonce"] = header.nonce;
  json["bits"] = BitsText(header.bits);
  json["target"] = TargetText(header.bits);
  json["difficulty"] = JsonReal(DifficultyOf(header.bits));
  json["chainwork"] = block.chain_work.ToHex();
  json["nTx"] = block.transaction_count;
  if (block.height > 0) json["previousblockhash"] = header.previous.ToHex();
  if (block.next) json["nextblockhash"] = block.next->ToHex();
  return json;
}

Json BlockJson(const BlockFacts& block, ByteSpan raw) {
  BlockColumns columns;
  if (DecodeBlock(raw, columns) != DecodeError::kNone || columns.transaction_count() == 0) {
    throw RpcError{kRpcMisc, "Block cannot be decoded: the block file is damaged; start with -reindex"};
  }
  HashTransactions(columns);
  Json json = HeaderJson(block);
  json["strippedsize"] = columns.stripped_size();
  json["size"] = columns.total_size();
  json["weight"] = columns.weight();
  json["coinbase_tx"] = CoinbaseJson(columns.transaction(0));
  Json txids = Json::array();
  for (const Hash256& txid : columns.txid) txids.push_back(txid.ToHex());
  json["tx"] = std::move(txids);
  return json;
}

}  // namespace headrace
