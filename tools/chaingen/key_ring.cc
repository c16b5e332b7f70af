#include "tools/chaingen/key_ring.h"

#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_writer.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/parallel.h"
#include "tools/chaingen/script_builder.h"
#include "tools/chaingen/sighash.h"

namespace headrace::chaingen {
namespace {

Bytes PayToKey(const Bytes& key) { return ScriptBuilder().Push(key).Op(kOpCheckSig).Take(); }

Bytes PayToKeyHash(const Bytes& key) {
  return ScriptBuilder().Op(kOpDup).Op(kOpHash160).Push(Hash160(key)).Op(kOpEqualVerify).Op(kOpCheckSig).Take();
}

Bytes PayToScriptHash(const Bytes& script) {
  return ScriptBuilder().Op(kOpHash160).Push(Hash160(script)).Op(kOpEqual).Take();
}

Bytes WitnessProgram(uint32_t version, ByteSpan program) { return ScriptBuilder().Number(version).Push(program).Take(); }

}  // namespace

KeyRing::KeyRing(uint64_t seed, uint32_t key_count, uint32_t threads) : keys_(key_count) {
  HR_CHECK(key_count >= 3);
  ParallelFor(key_count, threads, [&](size_t i) { MakeKey(seed, static_cast<uint32_t>(i)); });
  ParallelFor(key_count, threads, [&](size_t i) { MakeScripts(static_cast<uint32_t>(i)); });
}

void KeyRing::MakeKey(uint64_t seed, uint32_t index) {
  Key& key = keys_[index];
  uint8_t origin[12];
  StoreLittle(origin, seed);
  StoreLittle(origin + 8, index);
  key.secret = TaggedHasher("headrace/chaingen/key").Write(origin).Finish();
  HR_CHECK(IsValidSecretKey(key.secret));
  key.public_key = PublicKeyOf(key.secret, true);
  key.uncompressed_key = PublicKeyOf(key.secret, false);
  key.even_secret = EvenSecret(key.secret);
  key.x_only_key = XOnlyKeyOf(key.secret);
}

void KeyRing::MakeScripts(uint32_t index) {
  Key& key = keys_[index];
  const auto script = [&](LockKind kind) -> Bytes& { return key.scripts[static_cast<size_t>(kind)]; };
  const auto committed = [&](LockKind kind) { return CommittedScript({kind, index}); };
  script(LockKind::kP2pk) = PayToKey(key.public_key);
  script(LockKind::kP2pkUncompressed) = PayToKey(key.uncompressed_key);
  script(LockKind::kP2pkh) = PayToKeyHash(key.public_key);
  script(LockKind::kP2pkhUncompressed) = PayToKeyHash(key.uncompressed_key);
  script(LockKind::kMultisig1of2) = Multisig(index, 1, 2);
  script(LockKind::kMultisig2of3) = Multisig(index, 2, 3);
  script(LockKind::kP2shMultisig2of3) = PayToScriptHash(committed(LockKind::kP2shMultisig2of3));
  script(LockKind::kP2wpkh) = WitnessProgram(0, Hash160(key.public_key));
  script(LockKind::kP2shP2wpkh) = PayToScriptHash(script(LockKind::kP2wpkh));
  script(LockKind::kP2shP2wsh) = PayToScriptHash(WitnessProgram(0, Sha256(committed(LockKind::kP2shP2wsh))));
  for (LockKind kind : {LockKind::kP2wshMultisig2of3, LockKind::kCheckLockTime, LockKind::kCheckSequence}) {
    script(kind) = WitnessProgram(0, Sha256(committed(kind)));
  }
  const Digest256 key_tweak = TapTweak(key.x_only_key, {});
  key.taproot_secret = EvenSecret(TweakSecretKey(key.secret, key_tweak));
  script(LockKind::kP2trKey) = WitnessProgram(1, TweakOutputKey(key.x_only_key, key_tweak).key);
  const Digest256 script_tweak = TapTweak(key.x_only_key, TapLeafHash(committed(LockKind::kP2trScript)));
  const TweakedOutputKey output = TweakOutputKey(key.x_only_key, script_tweak);
  key.script_output_is_odd = output.is_odd;
  script(LockKind::kP2trScript) = WitnessProgram(1, output.key);
}

Bytes KeyRing::CommittedScript(Lock lock) const {
  const Key& key = keys_[lock.key];
  switch (lock.kind) {
    case LockKind::kP2shMultisig2of3:
    case LockKind::kP2wshMultisig2of3: return ScriptPubkey({LockKind::kMultisig2of3, lock.key});
    case LockKind::kP2shP2wpkh: return ScriptPubkey({LockKind::kP2wpkh, lock.key});
    case LockKind::kP2shP2wsh: return ScriptPubkey({LockKind::kP2pk, lock.key});
    // The leaf asks for the neighbour's signature, so that it could not be spent by the internal key's owner.
    case LockKind::kP2trScript:
      return ScriptBuilder().Push(keys_[(lock.key + 1) % size()].x_only_key).Op(kOpCheckSig).Take();
    case LockKind::kCheckLockTime:
      return ScriptBuilder().Number(LockTimeOf(lock.key)).Op(kOpCheckLockTimeVerify).Op(kOpDrop).Push(key.public_key)
          .Op(kOpCheckSig).Take();
    case LockKind::kCheckSequence:
      return ScriptBuilder().Number(SequenceOf(lock.key)).Op(kOpCheckSequenceVerify).Op(kOpDrop).Push(key.public_key)
          .Op(kOpCheckSig).Take();
    default: return {};
  }
}

Bytes KeyRing::Multisig(uint32_t key, uint32_t needed, uint32_t total) const {
  ScriptBuilder builder;
  builder.Number(needed);
  for (uint32_t i = 0; i < total; ++i) builder.Push(public_key(key + i));
  return builder.Number(total).Op(kOpCheckMultisig).Take();
}

Bytes KeyRing::ControlBlock(uint32_t key) const {
  Bytes block;
  block.reserve(33);
  ByteWriter writer(block);
  writer.U8(keys_[key].script_output_is_odd ? 0xc1 : 0xc0);
  writer.Bytes(keys_[key].x_only_key);
  return block;
}

}  // namespace headrace::chaingen
