#include "engine/consensus/chain_params.h"

#include "engine/base/check.h"
#include "engine/base/hex.h"
#include "engine/crypto/sha256.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/outpoint.h"

namespace headrace {

namespace {

// The constants below are ours: one that does not parse is our bug.
Hash256 HashOf(std::string_view hex) {
  const auto hash = Hash256::FromHex(hex);
  HR_CHECK(hash.has_value());
  return *hash;
}

Uint256 NumberOf(std::string_view hex) {
  const auto number = Uint256::FromHex(hex);
  HR_CHECK(number.has_value());
  return *number;
}

std::vector<uint8_t> BytesOf(std::string_view hex) {
  auto bytes = HexDecode(hex);
  HR_CHECK(bytes.has_value());
  return *std::move(bytes);
}

constexpr std::string_view kSatoshiMessage = "The Times 03/Jan/2009 Chancellor on brink of second bailout for banks";
constexpr std::string_view kSatoshiKey =
    "04678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb6"
    "49f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5f";
constexpr std::string_view kTestnet4Message =
    "03/May/2024 000000000000000000001ebd58c244970b3aa9d783bb001011fbe8ea8e98e00e";

GenesisParams SatoshiGenesis(uint32_t time_s, uint32_t nonce, uint32_t bits) {
  return {time_s, nonce, bits, 1, 50 * kCoin, kSatoshiMessage, BytesOf(kSatoshiKey)};
}

constexpr ExtendedKeyPrefixes kMainnetExtendedKeys{{0x04, 0x88, 0xb2, 0x1e}, {0x04, 0x88, 0xad, 0xe4}};
constexpr ExtendedKeyPrefixes kTestExtendedKeys{{0x04, 0x35, 0x87, 0xcf}, {0x04, 0x35, 0x83, 0x94}};

// A deployment that exists for the machinery's sake and never becomes active outside regtest.
Deployment TestDummy(uint32_t threshold) {
  Deployment dummy;
  dummy.name = "testdummy";
  dummy.threshold = threshold;
  return dummy;
}

ChainParams MakeMain() {
  ChainParams params;
  params.id = ChainId::kMain;
  params.name = "main";
  params.message_magic = {0xf9, 0xbe, 0xb4, 0xd9};
  params.default_port = 8333;
  params.default_rpc_port = 8332;
  params.pow_limit = NumberOf("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  params.bip34_height = 227'931;
  params.bip65_height = 388'381;
  params.bip66_height = 363'725;
  params.csv_height = 419'328;
  params.segwit_height = 481'824;
  params.script_flag_exceptions = {
      // Spends that P2SH would forbid, mined before anybody enforced it.
      {HashOf("00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22"), kVerifyNone},
      // Spends of version 1 programs from before taproot held.
      {HashOf("0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad"), kVerifyP2sh | kVerifyWitness},
  };
  params.bip30_exceptions = {
      {91'842, HashOf("00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec")},
      {91'880, HashOf("00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721")},
  };
  params.deployments = {TestDummy(1815)};
  params.genesis = SatoshiGenesis(1'231'006'505, 2'083'236'893, 0x1d00ffff);
  params.genesis_hash = HashOf("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
  // Height 938,343.
  params.assume_valid = HashOf("00000000000000000000ccebd6d74d9194d8dcdc1d177c478e094bfad51ba5ac");
  params.minimum_chain_work = NumberOf("1128750f82f4c366153a3a030");
  params.address = kMainnetAddressPrefixes;
  params.extended_keys = kMainnetExtendedKeys;
  return params;
}

ChainParams MakeTestnet3() {
  ChainParams params;
  params.id = ChainId::kTestnet3;
  params.name = "test";
  params.data_subfolder = "testnet3";
  params.message_magic = {0x0b, 0x11, 0x09, 0x07};
  params.default_port = 18333;
  params.default_rpc_port = 18332;
  params.pow_limit = NumberOf("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  params.allows_min_difficulty_blocks = true;
  params.bip34_height = 21'111;
  params.bip65_height = 581'885;
  params.bip66_height = 330'776;
  params.csv_height = 770'112;
  params.segwit_height = 834'624;
  params.script_flag_exceptions = {
      {HashOf("00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105"), kVerifyNone},
  };
  params.deployments = {TestDummy(1512)};
  params.genesis = SatoshiGenesis(1'296'688'602, 414'098'458, 0x1d00ffff);
  params.genesis_hash = HashOf("000000000933ea01ad0ee984209779baaec3ced90fa3f408719526f8d77f4943");
  // Height 4,842,348.
  params.assume_valid = HashOf("000000007a61e4230b28ac5cb6b5e5a0130de37ac1faf2f8987d2fa6505b67f4");
  params.minimum_chain_work = NumberOf("17dde1c649f3708d14b6");
  params.address = kTestnetAddressPrefixes;
  params.extended_keys = kTestExtendedKeys;
  return params;
}

// Every soft fork holds from the first block after genesis.
void BuryEverythingAtOne(ChainParams& params) {
  params.bip34_height = 1;
  params.bip65_height = 1;
  params.bip66_height = 1;
  params.csv_height = 1;
  params.segwit_height = 1;
}

ChainParams MakeTestnet4() {
  ChainParams params;
  params.id = ChainId::kTestnet4;
  params.name = "testnet4";
  params.data_subfolder = "testnet4";
  params.message_magic = {0x1c, 0x16, 0x3f, 0x28};
  params.default_port = 48333;
  params.default_rpc_port = 48332;
  params.pow_limit = NumberOf("00000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  params.allows_min_difficulty_blocks = true;
  params.enforces_bip94 = true;
  BuryEverythingAtOne(params);
  params.deployments = {TestDummy(1512)};
  params.genesis = {1'714'777'860, 393'743'547, 0x1d00ffff,          1,
                    50 * kCoin,    kTestnet4Message, std::vector<uint8_t>(33, 0)};
  params.genesis_hash = HashOf("00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043");
  // Height 123,613.
  params.assume_valid = HashOf("0000000002368b1e4ee27e2e85676ae6f9f9e69579b29093e9a82c170bf7cf8a");
  params.minimum_chain_work = NumberOf("9a0fe15d0177d086304");
  params.address = kTestnetAddressPrefixes;
  params.extended_keys = kTestExtendedKeys;
  return params;
}

ChainParams MakeDefaultSignet() {
  ChainParams params =
      SignetParams(BytesOf("512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be430"
                           "210359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae"));
  // Height 293,175.
  params.assume_valid = HashOf("00000008414aab61092ef93f1aacc54cf9e9f16af29ddad493b908a01ff5c329");
  params.minimum_chain_work = NumberOf("b463ea0a4b8");
  return params;
}

ChainParams MakeRegtest() {
  ChainParams params;
  params.id = ChainId::kRegtest;
  params.name = "regtest";
  params.data_subfolder = "regtest";
  params.message_magic = {0xfa, 0xbf, 0xb5, 0xda};
  params.default_port = 18444;
  params.default_rpc_port = 18443;
  params.pow_limit = NumberOf("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  params.target_timespan_s = 24 * 60 * 60;
  params.retargets = false;
  params.allows_min_difficulty_blocks = true;
  BuryEverythingAtOne(params);
  params.segwit_height = 0;
  Deployment dummy = TestDummy(108);
  dummy.start_time_s = 0;
  dummy.period = 144;
  params.deployments = {dummy};
  params.subsidy_halving_interval = 150;
  params.genesis = SatoshiGenesis(1'296'688'602, 2, 0x207fffff);
  params.genesis_hash = HashOf("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
  params.address = kRegtestAddressPrefixes;
  params.extended_keys = kTestExtendedKeys;
  return params;
}

std::vector<uint8_t> GenesisTransaction(const GenesisParams& genesis) {
  constexpr uint8_t kOpCheckSig = 0xac;
  constexpr uint8_t kOpPushData1 = 0x4c;
  constexpr size_t kDirectPushMax = 0x4b;

  std::vector<uint8_t> script_sig;
  script_sig.reserve(100);
  ByteWriter script(script_sig);
  // The easiest bits of the first day, as a script number, the number 4, and the newspaper.
  script.VarBytes(std::array<uint8_t, 4>{0xff, 0xff, 0x00, 0x1d});
  script.VarBytes(std::array<uint8_t, 1>{4});
  if (genesis.message.size() > kDirectPushMax) script.U8(kOpPushData1);
  script.VarBytes(AsBytes(genesis.message));

  std::vector<uint8_t> script_pubkey;
  ByteWriter(script_pubkey).VarBytes(genesis.public_key);
  script_pubkey.push_back(kOpCheckSig);

  std::vector<uint8_t> raw;
  ByteWriter writer(raw);
  writer.U32(1);
  writer.CompactSize(1);
  writer.Bytes(Hash256().span());
  writer.U32(OutPoint::kNullIndex);
  writer.VarBytes(script_sig);
  writer.U32(0xffffffff);
  writer.CompactSize(1);
  writer.U64(static_cast<uint64_t>(genesis.reward));
  writer.VarBytes(script_pubkey);
  writer.U32(0);
  return raw;
}

}  // namespace

const ChainParams& ParamsFor(ChainId id) {
  static const auto* all = new std::array<ChainParams, 5>{MakeMain(), MakeTestnet3(), MakeTestnet4(),
                                                          MakeDefaultSignet(), MakeRegtest()};
  const ChainParams& params = (*all)[static_cast<size_t>(id)];
  HR_CHECK(params.id == id);
  return params;
}

std::optional<ChainId> ChainIdFromName(std::string_view name) {
  for (const ChainId id : {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4, ChainId::kSignet, ChainId::kRegtest}) {
    if (ParamsFor(id).name == name) return id;
  }
  return std::nullopt;
}

ChainParams SignetParams(std::vector<uint8_t> challenge) {
  ChainParams params;
  params.id = ChainId::kSignet;
  params.name = "signet";
  params.data_subfolder = "signet";
  // BIP325: the first bytes of the hash of the challenge, with its length before it.
  std::vector<uint8_t> preimage;
  ByteWriter(preimage).VarBytes(challenge);
  const Digest256 digest = Sha256d(preimage);
  params.message_magic = {digest[0], digest[1], digest[2], digest[3]};
  params.default_port = 38333;
  params.default_rpc_port = 38332;
  params.pow_limit = NumberOf("00000377ae000000000000000000000000000000000000000000000000000000");
  BuryEverythingAtOne(params);
  params.deployments = {TestDummy(1815)};
  params.genesis = SatoshiGenesis(1'598'918'400, 52'613'770, 0x1e0377ae);
  params.genesis_hash = HashOf("00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6");
  params.signet_challenge = std::move(challenge);
  params.address = kSignetAddressPrefixes;
  params.extended_keys = kTestExtendedKeys;
  return params;
}

std::vector<uint8_t> GenesisBlock(const ChainParams& params) {
  const std::vector<uint8_t> transaction = GenesisTransaction(params.genesis);
  BlockHeader header;
  header.version = params.genesis.version;
  header.merkle_root = Hash256(Sha256d(transaction));
  header.time_s = params.genesis.time_s;
  header.bits = params.genesis.bits;
  header.nonce = params.genesis.nonce;
  std::vector<uint8_t> raw(BlockHeader::kSerializedBytes);
  header.Store(raw.data());
  ByteWriter writer(raw);
  writer.CompactSize(1);
  writer.Bytes(transaction);
  return raw;
}

}  // namespace headrace
