// What distinguishes the networks, as data: no rule asks "which network is this?", it reads a field here.
//
// Heights and hashes of the main network are facts of its history: rules that once activated by signalling are buried at
// the height where they did, and blocks that would break rules applied retroactively are named as exceptions.
//
// Any thread; built once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/consensus/deployment.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "engine/primitives/uint256.h"
#include "engine/script/address.h"
#include "engine/script/script_flags.h"

namespace headrace {

enum class ChainId : uint8_t { kMain, kTestnet3, kTestnet4, kSignet, kRegtest };

struct ScriptFlagException {
  Hash256 block;
  // Replaces P2SH, witness and taproot for this block.
  ScriptFlags flags;
};

struct BlockAt {
  uint32_t height;
  Hash256 hash;
};

struct GenesisParams {
  uint32_t time_s;
  uint32_t nonce;
  uint32_t bits;
  int32_t version;
  Amount reward;
  std::string_view message;
  std::vector<uint8_t> public_key;  // paid by <key> OP_CHECKSIG
};

// The first four bytes of extended keys (BIP32).
struct ExtendedKeyPrefixes {
  std::array<uint8_t, 4> public_key;
  std::array<uint8_t, 4> secret_key;
};

struct ChainParams {
  ChainId id = ChainId::kMain;
  // "main", "test", "testnet4", "signet", "regtest": what `-chain` and getblockchaininfo say.
  std::string_view name;
  // Below the data directory; empty for main.
  std::string_view data_subfolder;
  std::array<uint8_t, 4> message_magic{};
  uint16_t default_port = 0;
  uint16_t default_rpc_port = 0;

  // Proof of work.
  Uint256 pow_limit;
  int64_t target_spacing_s = 600;
  int64_t target_timespan_s = 14 * 24 * 60 * 60;
  bool retargets = true;
  bool allows_min_difficulty_blocks = false;
  bool enforces_bip94 = false;
  uint32_t difficulty_interval() const { return static_cast<uint32_t>(target_timespan_s / target_spacing_s); }

  // Buried deployments: the first height at which each rule holds. P2SH, segwit scripts and taproot hold at every height
  // but for the exceptions.
  uint32_t bip34_height = 0;
  uint32_t bip65_height = 0;
  uint32_t bip66_height = 0;
  uint32_t csv_height = 0;
  uint32_t segwit_height = 0;
  std::vector<ScriptFlagException> script_flag_exceptions;
  // Blocks whose coinbase overwrites an unspent one (BIP30).
  std::vector<BlockAt> bip30_exceptions;
  std::vector<Deployment> deployments;

  uint32_t subsidy_halving_interval = 210'000;
  GenesisParams genesis;
  Hash256 genesis_hash;

  // Defaults of `-assumevalid` (zero: none) and `-minimumchainwork`.
  Hash256 assume_valid;
  Uint256 minimum_chain_work;

  // Blocks must solve this script (BIP325); empty off signet.
  std::vector<uint8_t> signet_challenge;

  AddressPrefixes address{};
  ExtendedKeyPrefixes extended_keys{};
};

const ChainParams& ParamsFor(ChainId id);
// The network called "main", "test", ... (see ChainParams::name); nothing for other names.
std::optional<ChainId> ChainIdFromName(std::string_view name);
// A signet of one's own: message magic follows from the challenge; no minimum work, nothing assumed valid.
ChainParams SignetParams(std::vector<uint8_t> challenge);

// The raw bytes of the first block.
std::vector<uint8_t> GenesisBlock(const ChainParams& params);

}  // namespace headrace
