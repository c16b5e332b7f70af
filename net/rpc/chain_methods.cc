#include "net/rpc/chain_methods.h"

#include "engine/base/hex.h"
#include "net/rpc/block_json.h"
#include "net/rpc/rpc_context.h"

namespace headrace {
namespace {

constexpr std::string_view kBlockHashSentence = "Hash of the block, 64 hex digits.";
constexpr std::string_view kBlockHashExample = "\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\"";

Json GetBlockchainInfo(const RpcCall& call) {
  NodeFacade& node = *call.context().node;
  const ChainFacts chain = Require(node.Chain());
  Json info = Json::object();
  info["chain"] = std::string(node.params().name);
  info["blocks"] = chain.tip.height;
  info["headers"] = chain.header_height;
  info["bestblockhash"] = chain.tip.hash.ToHex();
  info["bits"] = BitsText(chain.tip.header.bits);
  info["target"] = TargetText(chain.tip.header.bits);
  info["difficulty"] = JsonReal(DifficultyOf(chain.tip.header.bits));
  info["time"] = chain.tip.header.time_s;
  info["mediantime"] = chain.tip.median_time_past_s;
  info["verificationprogress"] = JsonReal(chain.progress);
  info["initialblockdownload"] = chain.is_initial_block_download;
  info["chainwork"] = chain.tip.chain_work.ToHex();
  info["size_on_disk"] = chain.disk_bytes;
  info["pruned"] = false;
  if (node.params().id == ChainId::kSignet) info["signet_challenge"] = HexEncode(node.params().signet_challenge);
  info["warnings"] = Json::array();
  return info;
}

Json GetBlockCount(const RpcCall& call) { return Require(call.context().node->AppliedTip()).height; }

Json GetBestBlockHash(const RpcCall& call) { return Require(call.context().node->AppliedTip()).hash.ToHex(); }

Json GetBlockHash(const RpcCall& call) {
  const int32_t height = call.Integer(0);
  constexpr const char* kOutOfRange = "Block height out of range";
  if (height < 0) throw RpcError{kRpcInvalidParameter, kOutOfRange};
  const absl::StatusOr<BlockFacts> block = call.context().node->BlockAtHeight(static_cast<uint32_t>(height));
  if (absl::IsInvalidArgument(block.status())) throw RpcError{kRpcInvalidParameter, kOutOfRange};
  return Require(block).hash.ToHex();
}

BlockFacts FindBlock(const RpcCall& call, std::string_view name) {
  const absl::StatusOr<BlockFacts> block = call.context().node->Block(call.Hash(0, name));
  if (absl::IsNotFound(block.status())) throw RpcError{kRpcNotFound, "Block not found"};
  return Require(block);
}

Json GetBlockHeader(const RpcCall& call) {
  const BlockFacts block = FindBlock(call, "hash");
  if (call.Flag(1, true)) return HeaderJson(block);
  return HexEncode(block.header.Serialize());
}

// 0, 1 or more; flags stand for 0 and 1, as they did before there were more than two.
int32_t VerbosityOf(const RpcCall& call) {
  if (!call.Has(1)) return 1;
  return call.at(1).is_boolean() ? (call.at(1).get<bool>() ? 1 : 0) : call.Integer(1);
}

Json GetBlock(const RpcCall& call) {
  const Hash256 hash = call.Hash(0, "blockhash");
  const int32_t verbosity = VerbosityOf(call);
  if (verbosity > 1) {
    throw RpcError{kRpcInvalidParameter,
                   "This version knows verbosity 0 and 1 alone; it cannot show the transactions of a block in detail"};
  }
  NodeFacade& node = *call.context().node;
  const absl::StatusOr<BlockFacts> block = node.Block(hash);
  if (absl::IsNotFound(block.status())) throw RpcError{kRpcNotFound, "Block not found"};
  RequireOk(block.status());
  const absl::StatusOr<SharedBytes> raw = node.RawBlock(*block);
  if (absl::IsNotFound(raw.status())) throw RpcError{kRpcMisc, "Block not available (not fully downloaded)"};
  RequireOk(raw.status());
  if (verbosity <= 0) return HexEncode(raw->bytes);
  return BlockJson(*block, raw->bytes);
}

Json GetDifficulty(const RpcCall& call) {
  return JsonReal(DifficultyOf(Require(call.context().node->Chain()).tip.header.bits));
}

std::string_view StatusWord(ChainTipStatus status) {
  switch (status) {
    case ChainTipStatus::kActive:
      return "active";
    case ChainTipStatus::kInvalid:
      return "invalid";
    case ChainTipStatus::kHeadersOnly:
      return "headers-only";
    case ChainTipStatus::kValidHeaders:
      return "valid-headers";
    case ChainTipStatus::kValidFork:
      break;
  }
  return "valid-fork";
}

Json GetChainTips(const RpcCall& call) {
  Json tips = Json::array();
  for (const ChainTip& tip : Require(call.context().node->ChainTips())) {
    Json json = Json::object();
    json["height"] = tip.height;
    json["hash"] = tip.hash.ToHex();
    json["branchlen"] = tip.branch_length;
    json["status"] = std::string(StatusWord(tip.status));
    tips.push_back(std::move(json));
  }
  return tips;
}

// The field's words for an unknown block, whatever ours are.
void RequireKnownBlock(const absl::Status& status) {
  if (absl::IsNotFound(status)) throw RpcError{kRpcNotFound, "Block not found"};
  RequireOk(status);
}

Json InvalidateBlock(const RpcCall& call) {
  RequireKnownBlock(call.context().node->Invalidate(call.Hash(0, "blockhash")));
  return nullptr;
}

Json ReconsiderBlock(const RpcCall& call) {
  RequireKnownBlock(call.context().node->Reconsider(call.Hash(0, "blockhash")));
  return nullptr;
}

Json SubmitBlock(const RpcCall& call) {
  constexpr const char* kNoBlock = "Block decode failed";
  std::optional<std::vector<uint8_t>> block = HexDecode(call.Text(0));
  if (!block) throw RpcError{kRpcDecode, kNoBlock};
  const absl::StatusOr<std::string> outcome = call.context().node->Submit(*std::move(block));
  if (absl::IsInvalidArgument(outcome.status())) throw RpcError{kRpcDecode, kNoBlock};
  const std::string words = Require(outcome);
  return words.empty() ? Json() : Json(words);
}

}  // namespace

std::vector<RpcMethod> ChainMethods() {
  const RpcArgument block_hash = {
      .names = "blockhash", .type = ArgumentType::kHex, .is_required = true, .sentence = kBlockHashSentence};
  return {
      {.category = "blockchain",
       .name = "getblockchaininfo",
       .sentence = "Tells how far the node is: tip, headers, work, progress.",
       .result =
           "An object: chain, blocks, headers, bestblockhash, bits, target, difficulty, time, mediantime,\n"
           "verificationprogress (0 to 1), initialblockdownload, chainwork, size_on_disk (bytes of block and undo\n"
           "files), pruned, signet_challenge (on a signet), warnings.",
       .function = GetBlockchainInfo},
      {.category = "blockchain",
       .name = "getblockcount",
       .sentence = "Tells the height of the tip; genesis has height 0.",
       .result = "A number.",
       .function = GetBlockCount},
      {.category = "blockchain",
       .name = "getbestblockhash",
       .sentence = "Tells the hash of the tip.",
       .result = "64 hex digits.",
       .function = GetBestBlockHash},
      {.category = "blockchain",
       .name = "getblockhash",
       .sentence = "Tells the hash of the active chain's block at a height.",
       .arguments = {{.names = "height",
                      .type = ArgumentType::kNumber,
                      .is_required = true,
                      .sentence = "Height of the block."}},
       .result = "64 hex digits.",
       .example = "1000",
       .function = GetBlockHash},
      {.category = "blockchain",
       .name = "getblockheader",
       .sentence = "Shows the header of a block, whichever branch it is on.",
       .arguments = {block_hash,
                     {.names = "verbose",
                      .type = ArgumentType::kBool,
                      .default_text = "true",
                      .sentence = "false for the 80 bytes in hex, true for an object."}},
       .result =
           "An object: hash, confirmations (-1 off the active chain), height, version, versionHex, merkleroot, time,\n"
           "mediantime, nonce, bits, target, difficulty, chainwork, nTx, previousblockhash, nextblockhash. Or hex.",
       .example = kBlockHashExample,
       .function = GetBlockHeader},
      {.category = "blockchain",
       .name = "getblock",
       .sentence = "Shows a block, whichever branch it is on.",
       .arguments = {block_hash,
                     {.names = "verbosity|verbose",
                      .type = ArgumentType::kNumber,
                      .default_text = "1",
                      .sentence = "0 for the bytes in hex, 1 for an object with txids. This version knows no other.",
                      .takes_any_type = true}},
       .result =
           "The fields of getblockheader, and strippedsize, size, weight, coinbase_tx (version, locktime, sequence,\n"
           "coinbase, witness), tx (txids in the order of the block). Or hex.",
       .example = kBlockHashExample,
       .function = GetBlock},
      {.category = "blockchain",
       .name = "getdifficulty",
       .sentence = "Tells how many times harder than the easiest target of the main network the tip's target is.",
       .result = "A number.",
       .function = GetDifficulty},
      {.category = "blockchain",
       .name = "getchaintips",
       .sentence = "Lists the ends of all branches that the node knows, the active chain's among them, highest first.",
       .result = "Objects: height, hash, branchlen (blocks since the fork from the active chain), status: active; "
                 "invalid (a\n"
                 "block of it broke a rule); headers-only (not all blocks are here); valid-headers (all are here, "
                 "never fully\n"
                 "checked); valid-fork (was once part of the active chain).",
       .function = GetChainTips},
      {.category = "blockchain",
       .name = "invalidateblock",
       .sentence =
           "Treats a block as if it broke a rule, until reconsiderblock: the node leaves it and its descendants and\n"
           "follows the best chain without them. Returns when that is done.",
       .arguments = {block_hash},
       .result = "null",
       .example = kBlockHashExample,
       .function = InvalidateBlock},
      {.category = "blockchain",
       .name = "reconsiderblock",
       .sentence =
           "Takes the marks of invalidity back from a block, its ancestors and its descendants, and follows the best\n"
           "chain then. Returns when that is done.",
       .arguments = {block_hash},
       .result = "null",
       .example = kBlockHashExample,
       .function = ReconsiderBlock},
      {.category = "mining",
       .name = "submitblock",
       .sentence = "Hands a block in, as if a peer had sent it (BIP22). Returns when its fate is known.",
       .arguments = {{.names = "hexdata",
                      .type = ArgumentType::kHex,
                      .is_required = true,
                      .sentence = "The block's bytes in hex."},
                     {.names = "dummy", .default_text = "ignored", .sentence = "Takes no effect; BIP22 has it."}},
       .result =
           "null when the block became the tip; otherwise why not: the rule that it broke, duplicate (it is here\n"
           "already), inconclusive (it is kept, and is not on the best chain).",
       .example = "\"HEX\"",
       .function = SubmitBlock},
  };
}

}  // namespace headrace
