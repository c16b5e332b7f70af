#include "tools/chaingen/block_sealer.h"

#include <algorithm>
#include <array>

#include "engine/primitives/block_header.h"
#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/genesis.h"
#include "tools/chaingen/merkle.h"
#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {
namespace {

// BIP141's four bytes aa21a9ed.
constexpr uint32_t kCommitmentMagic = 0xeda921aa;

// BIP141: the commitment to all wtxids, the coinbase's counting as zero, and its nonce of zero.
Bytes WitnessCommitmentScript(const BlockPlan& plan) {
  std::vector<Hash256> wtxids(1);
  for (const SignedTransaction& transaction : plan.signed_transactions) wtxids.push_back(transaction.wtxid);
  const Hash256 root = MerkleRoot(std::move(wtxids));
  std::array<uint8_t, 64> root_and_nonce{};
  std::copy(root.bytes.begin(), root.bytes.end(), root_and_nonce.begin());
  Bytes payload;
  ByteWriter writer(payload);
  writer.U32(kCommitmentMagic);
  writer.Bytes(Sha256d(root_and_nonce));
  return ScriptBuilder().Op(kOpReturn).Push(payload).Take();
}

// Regtest's target is 7fffff followed by zeros: compared by its three leading bytes, it lets one hash in two pass.
bool MeetsTarget(const Hash256& hash) {
  return (uint32_t{hash.bytes[31]} << 16 | uint32_t{hash.bytes[30]} << 8 | hash.bytes[29]) < 0x7fffff;
}

}  // namespace

MutableTransaction BlockSealer::MakeCoinbase(const BlockPlan& plan) const {
  MutableTransaction coinbase;
  coinbase.inputs.resize(1);
  coinbase.inputs[0].prevout.index = OutPoint::kNullIndex;
  // BIP34: the height first. The zero after it makes the two bytes that a coinbase's script must have.
  coinbase.inputs[0].script_sig = ScriptBuilder().Number(plan.height).Op(kOp0).Take();
  coinbase.outputs.push_back({SubsidyAt(plan.height) + plan.fees, keys_.ScriptPubkey(plan.coinbase_lock)});
  if (plan.has_witness) {
    coinbase.outputs.push_back({0, WitnessCommitmentScript(plan)});
    coinbase.inputs[0].witness = {Bytes(32)};
  }
  return coinbase;
}

Bytes BlockSealer::SealGenesis() {
  tip_ = Hash256::FromHex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206").value();
  return GenesisBlock();
}

Bytes BlockSealer::Seal(const BlockPlan& plan) {
  const MutableTransaction coinbase = MakeCoinbase(plan);
  std::vector<Hash256> txids = {coinbase.Txid()};
  table_.SetTxid(plan.coinbase_slot, txids[0]);
  size_t bytes = 0;
  for (const SignedTransaction& transaction : plan.signed_transactions) {
    txids.push_back(transaction.txid);
    bytes += transaction.serialized.size();
  }
  BlockHeader header;
  header.version = 0x20000000;  // BIP9's, which also satisfies BIP34, BIP65 and BIP66
  header.previous = tip_;
  header.merkle_root = MerkleRoot(std::move(txids));
  header.time_s = kGenesisTime_s + plan.height * kBlockInterval_s;
  header.bits = kRegtestBits;
  while (!MeetsTarget(header.Hash())) ++header.nonce;
  tip_ = header.Hash();

  Bytes block;
  block.reserve(bytes + 1024);
  ByteWriter writer(block);
  writer.Bytes(header.Serialize());
  writer.CompactSize(1 + plan.signed_transactions.size());
  writer.Bytes(coinbase.Serialize(true));
  for (const SignedTransaction& transaction : plan.signed_transactions) writer.Bytes(transaction.serialized);
  return block;
}

}  // namespace headrace::chaingen
