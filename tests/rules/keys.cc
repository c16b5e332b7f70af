#include "tests/rules/keys.h"

#include "engine/base/check.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/script/script_builder.h"
#include "engine/script/taproot.h"

namespace headrace::testing {
namespace {

// A transaction as the digests want it: columns over bytes, the coins that it spends, the hashes that its inputs share.
class SignedView {
 public:
  SignedView(const MutableTransaction& transaction, const std::vector<HeldCoin>& spent)
      : raw_(Placeholder(transaction, !spent.empty())) {
    HR_CHECK(DecodeTransaction(raw_, WitnessEncoding::kAllowed, columns_) == DecodeError::kNone);
    HashTransactions(columns_);
    for (const HeldCoin& coin : spent) coins_.push_back({coin.output.amount, 0, false, coin.output.script});
    if (!spent.empty()) PrepareMidstates(view(), coins_, midstates_);
  }

  TransactionView view() const { return {columns_, 0}; }
  std::span<const Coin> coins() const { return coins_; }
  const TransactionMidstates& midstates() const { return midstates_; }

 private:
  // Midstates are prepared for transactions with a witness; signatures do not cover what it says.
  static Bytes Placeholder(MutableTransaction transaction, bool needs_witness) {
    if (needs_witness) {
      for (TransactionInput& input : transaction.inputs) input.witness = {{1}};
    }
    return transaction.Serialize();
  }

  const Bytes raw_;
  TransactionColumns columns_;
  std::vector<Coin> coins_;
  TransactionMidstates midstates_;
};

}  // namespace

KeyPair TestKey(uint8_t number) {
  KeyPair key;
  key.secret.fill(number);
  HR_CHECK(IsValidSecretKey(key.secret));
  key.public_key = PublicKeyOf(key.secret, true);
  return key;
}

Bytes PayToPubkey(const KeyPair& key) { return ScriptBuilder().Data(key.public_key).Op(Opcode::kCheckSig).Take(); }

Bytes PayToPubkeyHash(const KeyPair& key) {
  return ScriptBuilder()
      .Op(Opcode::kDup)
      .Op(Opcode::kHash160)
      .Data(Hash160(key.public_key))
      .Op(Opcode::kEqualVerify)
      .Op(Opcode::kCheckSig)
      .Take();
}

Bytes PayToScriptHash(const Bytes& redeem_script) {
  return ScriptBuilder().Op(Opcode::kHash160).Data(Hash160(redeem_script)).Op(Opcode::kEqual).Take();
}

Bytes PayToWitnessKeyHash(const KeyPair& key) {
  return ScriptBuilder().Op(Opcode::k0).Data(Hash160(key.public_key)).Take();
}

Bytes PayToWitnessScriptHash(const Bytes& witness_script) {
  return ScriptBuilder().Op(Opcode::k0).Data(Sha256(witness_script)).Take();
}

Bytes Multisig(int needed, int total) {
  ScriptBuilder script;
  script.Number(needed);
  for (int key = 1; key <= total; ++key) script.Data(TestKey(static_cast<uint8_t>(key)).public_key);
  return script.Number(total).Op(Opcode::kCheckMultisig).Take();
}

TaprootLock PayToTaproot(const KeyPair& key, const Bytes& leaf) {
  const XOnlyKey internal_key = XOnlyKeyOf(key.secret);
  const Digest256 tweak = TapTweakHash(internal_key, TapLeafHash(kTapscriptLeafVersion, leaf));
  const TweakedOutputKey output = TweakOutputKey(internal_key, tweak);
  TaprootLock lock;
  lock.script = ScriptBuilder().Number(1).Data(output.key).Take();
  lock.secret = TweakSecretKey(key.secret, tweak);
  lock.leaf = leaf;
  lock.control_block = {static_cast<uint8_t>(kTapscriptLeafVersion | (output.is_odd ? 1 : 0))};
  lock.control_block.insert(lock.control_block.end(), internal_key.begin(), internal_key.end());
  return lock;
}

Digest256 LegacyDigest(const MutableTransaction& transaction, uint32_t input, const Bytes& script_code, uint8_t type) {
  return LegacySignatureHash(SignedView(transaction, {}).view(), input, script_code, type);
}

Digest256 WitnessDigest(const MutableTransaction& transaction, uint32_t input, const std::vector<HeldCoin>& spent,
                        const Bytes& script_code, uint8_t type) {
  const SignedView signed_view(transaction, spent);
  return WitnessV0SignatureHash(signed_view.view(), input, script_code, spent[input].output.amount, type,
                                signed_view.midstates());
}

Digest256 TaprootDigest(const MutableTransaction& transaction, uint32_t input, const std::vector<HeldCoin>& spent,
                        const Bytes& leaf, uint8_t type) {
  const SignedView signed_view(transaction, spent);
  TaprootSignatureScope scope;
  scope.is_tapscript = !leaf.empty();
  if (scope.is_tapscript) scope.leaf_hash = TapLeafHash(kTapscriptLeafVersion, leaf);
  const auto digest =
      TaprootSignatureHash(signed_view.view(), input, signed_view.coins(), type, scope, signed_view.midstates());
  HR_CHECK(digest.has_value());
  return *digest;
}

Bytes EcdsaSignature(const KeyPair& key, const Digest256& digest, uint8_t type) {
  Bytes signature = SignEcdsa(key.secret, digest);
  signature.push_back(type);
  return signature;
}

Bytes SchnorrSignature(const SecretKey& secret, const Digest256& digest) {
  const auto signature = SignSchnorr(secret, digest);
  return Bytes(signature.begin(), signature.end());
}

void SignPubkey(MutableTransaction& transaction, const HeldCoin& coin, const KeyPair& key, uint32_t input) {
  const Digest256 digest = LegacyDigest(transaction, input, coin.output.script, kSighashAll);
  transaction.inputs[input].script_sig = ScriptBuilder().Data(EcdsaSignature(key, digest, kSighashAll)).Take();
}

void SignWitnessKeyHash(MutableTransaction& transaction, const std::vector<HeldCoin>& coins, uint32_t input,
                        const KeyPair& key) {
  const Digest256 digest = WitnessDigest(transaction, input, coins, PayToPubkeyHash(key), kSighashAll);
  transaction.inputs[input].witness = {EcdsaSignature(key, digest, kSighashAll), key.public_key};
}

}  // namespace headrace::testing
