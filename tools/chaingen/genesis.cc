#include "tools/chaingen/genesis.h"

#include "engine/base/check.h"
#include "engine/base/hex.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/script_builder.h"

namespace headrace::chaingen {

Bytes GenesisBlock() {
  static constexpr char kHeadline[] = "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";
  static constexpr uint8_t kMainBits[] = {0xff, 0xff, 0x00, 0x1d};
  static constexpr uint8_t kExtraNonce[] = {4};
  MutableTransaction coinbase;
  coinbase.version = 1;
  coinbase.inputs.resize(1);
  coinbase.inputs[0].prevout.index = OutPoint::kNullIndex;
  coinbase.inputs[0].script_sig = ScriptBuilder().Push(kMainBits).Push(kExtraNonce).Push(AsBytes(kHeadline)).Take();
  const auto key = HexDecode(
      "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
      "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f");
  coinbase.outputs = {{SubsidyAt(0), ScriptBuilder().Push(*key).Op(kOpCheckSig).Take()}};

  BlockHeader header;
  header.version = 1;
  header.merkle_root = coinbase.Txid();
  header.time_s = kGenesisTime_s;
  header.bits = kRegtestBits;
  header.nonce = 2;
  HR_CHECK(header.Hash().ToHex() == "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
  Bytes block;
  ByteWriter writer(block);
  writer.Bytes(header.Serialize());
  writer.CompactSize(1);
  writer.Bytes(coinbase.Serialize(false));
  return block;
}

}  // namespace headrace::chaingen
