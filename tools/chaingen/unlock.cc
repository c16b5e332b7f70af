#include "tools/chaingen/unlock.h"

#include "engine/base/check.h"
#include "tools/chaingen/script_builder.h"
#include "tools/chaingen/sighash.h"

namespace headrace::chaingen {
namespace {

// One input being signed.
struct Signer {
  const KeyRing& keys;
  const MutableTransaction& transaction;
  const std::vector<TransactionOutput>& spent;
  uint32_t input;
  uint8_t hash_type;
  uint32_t signatures = 0;

  // Both or neither.
  const NonceTable* nonces = nullptr;
  SighashCache* hashes = nullptr;

  Bytes Legacy(uint32_t key, const Bytes& script_code) {
    return Ecdsa(key, hashes != nullptr ? hashes->Legacy(input, script_code, hash_type)
                                        : LegacySighash(transaction, input, script_code, hash_type));
  }

  Bytes WitnessV0(uint32_t key, const Bytes& script_code) {
    return Ecdsa(key, hashes != nullptr
                          ? hashes->WitnessV0(input, script_code, hash_type)
                          : WitnessV0Sighash(transaction, input, script_code, spent[input].amount, hash_type));
  }

  // `even_secret` and `public_key` belong together.
  Bytes Taproot(const SecretKey& even_secret, ByteSpan public_key, const std::optional<TapLeafContext>& leaf) {
    const uint8_t type = hash_type == kSighashAll ? kSighashDefault : hash_type;
    const auto signature = Schnorr(even_secret, public_key, TaprootHash(type, leaf));
    ++signatures;
    Bytes bytes;
    bytes.reserve(signature.size() + 1);
    bytes.assign(signature.begin(), signature.end());
    if (type != kSighashDefault) bytes.push_back(type);
    return bytes;
  }

 private:
  Bytes Ecdsa(uint32_t key, const Digest256& hash) {
    Bytes signature = nonces != nullptr ? nonces->SignEcdsa(keys.secret(key), hash) : SignEcdsa(keys.secret(key), hash);
    signature.push_back(hash_type);
    ++signatures;
    return signature;
  }

  Digest256 TaprootHash(uint8_t type, const std::optional<TapLeafContext>& leaf) {
    if (hashes != nullptr) return hashes->Taproot(input, type, leaf);
    const std::optional<Digest256> hash = TaprootSighash(transaction, input, spent, type, leaf);
    HR_CHECK(hash.has_value());
    return *hash;
  }

  std::array<uint8_t, 64> Schnorr(const SecretKey& even_secret, ByteSpan public_key, const Digest256& hash) {
    return nonces != nullptr ? nonces->SignSchnorr(even_secret, public_key, hash) : SignSchnorr(even_secret, hash);
  }
};

// BIP143: what a key-hash program runs as.
Bytes KeyHashScriptCode(const KeyRing& keys, uint32_t key) { return keys.ScriptPubkey({LockKind::kP2pkh, key}); }

Bytes WitnessProgramOf(const Bytes& witness_script) {
  return ScriptBuilder().Op(kOp0).Push(Sha256(witness_script)).Take();
}

void Fill(Signer& signer, Lock lock, TransactionInput& target) {
  const KeyRing& keys = signer.keys;
  const uint32_t key = lock.key;
  const Bytes& script = signer.spent[signer.input].script;
  const Bytes committed = keys.CommittedScript(lock);
  switch (lock.kind) {
    case LockKind::kP2pk:
    case LockKind::kP2pkUncompressed:
      target.script_sig = ScriptBuilder().Push(signer.Legacy(key, script)).Take();
      break;
    case LockKind::kP2pkh:
      target.script_sig = ScriptBuilder().Push(signer.Legacy(key, script)).Push(keys.public_key(key)).Take();
      break;
    case LockKind::kP2pkhUncompressed:
      target.script_sig = ScriptBuilder().Push(signer.Legacy(key, script)).Push(keys.uncompressed_key(key)).Take();
      break;
    // CHECKMULTISIG takes one element too many, which BIP147 fixes to the empty one. Signatures stand in the keys'
    // order.
    case LockKind::kMultisig1of2:
      target.script_sig = ScriptBuilder().Op(kOp0).Push(signer.Legacy(key + 1, script)).Take();
      break;
    case LockKind::kMultisig2of3:
      target.script_sig =
          ScriptBuilder().Op(kOp0).Push(signer.Legacy(key, script)).Push(signer.Legacy(key + 2, script)).Take();
      break;
    case LockKind::kP2shMultisig2of3: {
      const Bytes first = signer.Legacy(key, committed), second = signer.Legacy(key + 1, committed);
      target.script_sig = ScriptBuilder().Op(kOp0).Push(first).Push(second).Push(committed).Take();
      break;
    }
    case LockKind::kP2shP2wpkh:
      target.script_sig = ScriptBuilder().Push(committed).Take();
      target.witness = {signer.WitnessV0(key, KeyHashScriptCode(keys, key)), keys.public_key(key)};
      break;
    case LockKind::kP2shP2wsh:
      target.script_sig = ScriptBuilder().Push(WitnessProgramOf(committed)).Take();
      target.witness = {signer.WitnessV0(key, committed), committed};
      break;
    case LockKind::kP2wpkh:
      target.witness = {signer.WitnessV0(key, KeyHashScriptCode(keys, key)), keys.public_key(key)};
      break;
    case LockKind::kP2wshMultisig2of3:
      target.witness = {{}, signer.WitnessV0(key + 1, committed), signer.WitnessV0(key + 2, committed), committed};
      break;
    case LockKind::kP2trKey:
      // The script is OP_1 and a push of the output key.
      target.witness = {signer.Taproot(keys.taproot_secret(key), ByteSpan(script).subspan(2), std::nullopt)};
      break;
    case LockKind::kP2trScript:
      // The leaf is a push of the neighbour's key and OP_CHECKSIG.
      target.witness = {signer.Taproot(keys.even_secret(key + 1), ByteSpan(committed).subspan(1, 32),
                                       TapLeafContext{TapLeafHash(committed)}),
                        committed, keys.ControlBlock(key)};
      break;
    case LockKind::kCheckLockTime:
    case LockKind::kCheckSequence:
      target.witness = {signer.WitnessV0(key, committed), committed};
      break;
    case LockKind::kCount:
      HR_CHECK(false);
      break;
  }
}

}  // namespace

uint32_t Unlock(const KeyRing& keys, Lock lock, uint8_t hash_type, const std::vector<TransactionOutput>& spent,
                uint32_t input, MutableTransaction& transaction) {
  Signer signer{keys, transaction, spent, input, hash_type};
  Fill(signer, lock, transaction.inputs[input]);
  return signer.signatures;
}

uint32_t UnlockWith(const KeyRing& keys, const NonceTable& nonces, SighashCache& hashes, Lock lock, uint8_t hash_type,
                    const std::vector<TransactionOutput>& spent, uint32_t input, MutableTransaction& transaction) {
  Signer signer{keys, transaction, spent, input, hash_type, 0, &nonces, &hashes};
  Fill(signer, lock, transaction.inputs[input]);
  return signer.signatures;
}

}  // namespace headrace::chaingen
