// What signatures sign: the digest of a transaction as the legacy rules, BIP143 and BIP341/342 define it.
//
// Pure; any thread; no allocation: everything is streamed into the hasher from where it stands.
#pragma once

#include <optional>
#include <span>

#include "engine/primitives/coin.h"
#include "engine/primitives/transaction_view.h"
#include "engine/script/spend_verifier.h"

namespace headrace {

inline constexpr uint8_t kSighashDefault = 0x00;  // taproot only: all, without a byte that says so
inline constexpr uint8_t kSighashAll = 0x01;
inline constexpr uint8_t kSighashNone = 0x02;
inline constexpr uint8_t kSighashSingle = 0x03;
inline constexpr uint8_t kSighashAnyoneCanPay = 0x80;
// The bits that select the outputs, as the legacy and BIP143 rules mask them.
inline constexpr uint8_t kSighashOutputMask = 0x1f;

// The legacy digest. `script_code` is the script from its last executed OP_CODESEPARATOR on with the signatures already
// deleted; remaining OP_CODESEPARATORs are left out here. All 32 bits of the hash type are hashed.
Digest256 LegacySignatureHash(TransactionView transaction, uint32_t input, ByteSpan script_code, uint32_t hash_type);

// BIP143. The midstates' segwit part must be ready.
Digest256 WitnessV0SignatureHash(TransactionView transaction, uint32_t input, ByteSpan script_code, Amount amount,
                                 uint32_t hash_type, const TransactionMidstates& midstates);

// What the BIP341 digest covers beside the transaction.
struct TaprootSignatureScope {
  // The digest of the annex with its length, if there is one.
  std::optional<Digest256> annex_hash;
  // BIP342's extension, for script path spends: the leaf and the position of the last executed OP_CODESEPARATOR.
  bool is_tapscript = false;
  Digest256 leaf_hash{};
  uint32_t code_separator_position = 0xffffffff;
};

// BIP341, BIP342. Nothing when the hash type is not defined or commits to an output that does not exist. The midstates'
// taproot part must be ready.
std::optional<Digest256> TaprootSignatureHash(TransactionView transaction, uint32_t input, std::span<const Coin> spent,
                                              uint8_t hash_type, const TaprootSignatureScope& scope,
                                              const TransactionMidstates& midstates);

}  // namespace headrace
