#include "net/rpc/coin_methods.h"

#include <optional>

#include "net/rpc/rpc_context.h"
#include "net/rpc/script_json.h"

namespace headrace {
namespace {

Json GetTxOut(const RpcCall& call) {
  NodeFacade& node = *call.context().node;
  const OutPoint outpoint{call.Hash(0, "txid"), call.Unsigned(1)};
  const std::optional<UnspentOutput> output = Require(node.FindOutput(outpoint));
  if (!output) return nullptr;
  Json json = Json::object();
  json["bestblock"] = output->best.hash.ToHex();
  json["confirmations"] = output->best.height - output->height + 1;
  json["value"] = JsonAmount(output->amount);
  json["scriptPubKey"] = ScriptPubKeyJson(output->script, node.params().address);
  json["coinbase"] = output->is_coinbase;
  return json;
}

Json GetTxOutSetInfo(const RpcCall& call) {
  static constexpr std::string_view kSerialized = "hash_serialized_3";
  const std::string_view hash_type = call.Has(0) ? std::string_view(call.Text(0)) : kSerialized;
  const CoinSetHashes hashes{.serialized = hash_type == kSerialized, .muhash = hash_type == "muhash"};
  if (!hashes.serialized && !hashes.muhash && hash_type != "none") {
    throw RpcError{kRpcInvalidParameter, "'" + std::string(hash_type) + "' is not a valid hash_type"};
  }
  if (call.Has(1)) throw RpcError{kRpcInvalidParameter, "Querying specific block heights requires coinstatsindex"};
  const CoinSetStatistics set = Require(call.context().node->CoinSet(hashes));
  Json json = Json::object();
  json["height"] = set.best.height;
  json["bestblock"] = set.best.hash.ToHex();
  json["txouts"] = set.coins;
  json["bogosize"] = set.bogosize;
  if (hashes.serialized) json["hash_serialized_3"] = set.hash_serialized.ToHex();
  if (hashes.muhash) json["muhash"] = set.muhash.ToHex();
  json["total_amount"] = JsonAmount(set.total_amount);
  json["transactions"] = set.transactions;
  return json;
}

Json DumpTxOutSet(const RpcCall& call) {
  const std::string& type = call.Has(1) ? call.Text(1) : std::string();
  if (type == "rollback" || call.Has(2)) {
    throw RpcError{kRpcInvalidParameter, "This version writes the set of the tip alone. Please specify \"latest\""};
  }
  if (type != "latest") {
    throw RpcError{kRpcInvalidParameter,
                   "Invalid snapshot type \"" + type + "\" specified. Please specify \"rollback\" or \"latest\""};
  }
  std::string path = call.Text(0);
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw RpcError{kRpcInvalidParameter, "A path is needed"};
  }
  if (path.front() != '/') path = call.context().network_directory + "/" + path;
  const SnapshotFacts facts = Require(call.context().node->WriteSnapshot(path));
  Json json = Json::object();
  json["coins_written"] = facts.set.coins;
  json["base_hash"] = facts.set.best.hash.ToHex();
  json["base_height"] = facts.set.best.height;
  json["path"] = path;
  json["txoutset_hash"] = facts.set.hash_serialized.ToHex();
  json["nchaintx"] = facts.chain_transactions;
  return json;
}

}  // namespace

std::vector<RpcMethod> CoinMethods() {
  return {
      {.category = "blockchain",
       .name = "gettxout",
       .sentence = "Shows an output that is unspent at the tip.",
       .arguments =
           {{.names = "txid", .is_required = true, .sentence = "Hash of the transaction, 64 hex digits."},
            {.names = "n", .type = ArgumentType::kNumber, .is_required = true, .sentence = "Number of the output."},
            {.names = "include_mempool",
             .type = ArgumentType::kBool,
             .default_text = "true",
             .sentence = "Takes no effect: this version keeps no transactions outside of blocks."}},
       .result = "null when it is spent or was never there. Otherwise an object: bestblock, confirmations, value, "
                 "scriptPubKey\n"
                 "(asm, hex, address where there is one, type), coinbase.",
       .example = "\"TXID\" 1",
       .function = GetTxOut},
      {.category = "blockchain",
       .name = "gettxoutsetinfo",
       .sentence = "Sums up the unspent set at the tip. Reads all of it, while the node goes on.",
       .arguments = {{.names = "hash_type",
                      .default_text = "\"hash_serialized_3\"",
                      .sentence = "Which hash of the set: hash_serialized_3, muhash or none."},
                     {.names = "hash_or_height",
                      .type = ArgumentType::kNumber,
                      .default_text = "the tip",
                      .sentence = "Another block; needs an index that this version has not got.",
                      .takes_any_type = true,
                      .type_text = "string or numeric"},
                     {.names = "use_index",
                      .type = ArgumentType::kBool,
                      .default_text = "true",
                      .sentence = "Takes no effect without an index."}},
       .result = "An object: height, bestblock, txouts, bogosize (a size in no unit, comparable between nodes), the "
                 "hash that was\n"
                 "asked for, total_amount, transactions (with at least one unspent output).",
       .example = "\"muhash\"",
       .function = GetTxOutSetInfo},
      {.category = "blockchain",
       .name = "dumptxoutset",
       .sentence = "Writes the unspent set at the tip to a snapshot file, which other nodes can load. The node goes on "
                   "meanwhile.",
       .arguments =
           {{.names = "path",
             .is_required = true,
             .sentence = "Of the file, which must not exist; begins at the network's data directory unless it is "
                         "absolute."},
            {.names = "type",
             .default_text = "\"\"",
             .sentence = "\"latest\": the set of the tip. \"rollback\" is not there yet."},
            {.names = "options", .sentence = "Of rollback.", .takes_any_type = true, .type_text = "json object"}},
       .result = "An object: coins_written, base_hash and base_height (of the block whose set it is), path (absolute), "
                 "txoutset_hash\n"
                 "(hash_serialized_3), nchaintx (transactions of the chain through that block).",
       .example = "\"utxo.dat\" \"latest\"",
       .function = DumpTxOutSet},
  };
}

}  // namespace headrace
