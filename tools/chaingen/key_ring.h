// The keys of a generated chain and every script that locks coins to them. Made once from the seed; then read by any
// thread. Scripts that are looked up for every output are worked out beforehand.
#pragma once

#include <array>
#include <vector>

#include "engine/crypto/signing.h"
#include "engine/primitives/mutable_transaction.h"
#include "tools/chaingen/lock.h"

namespace headrace::chaingen {

class KeyRing {
 public:
  // At least three keys: multisignature scripts take a key's two neighbours.
  KeyRing(uint64_t seed, uint32_t key_count, uint32_t threads);

  uint32_t size() const { return static_cast<uint32_t>(keys_.size()); }
  const Bytes& ScriptPubkey(Lock lock) const { return keys_[lock.key].scripts[static_cast<size_t>(lock.kind)]; }
  // What ScriptPubkey commits to by a hash: redeem, witness or leaf script; for P2SH-P2WSH the witness script.
  Bytes CommittedScript(Lock lock) const;

  const SecretKey& secret(uint32_t key) const { return keys_[key % size()].secret; }
  // The secret or its negation, whichever has a point of even y: what signs for the key in taproot's scripts.
  const SecretKey& even_secret(uint32_t key) const { return keys_[key % size()].even_secret; }
  const Bytes& public_key(uint32_t key) const { return keys_[key % size()].public_key; }
  const Bytes& uncompressed_key(uint32_t key) const { return keys_[key % size()].uncompressed_key; }
  // Signs for the key path of kP2trKey; even likewise.
  const SecretKey& taproot_secret(uint32_t key) const { return keys_[key].taproot_secret; }
  // BIP341: leaf version and parity, then the internal key; the tree of kP2trScript is one leaf.
  Bytes ControlBlock(uint32_t key) const;

  // kCheckLockTime locks until this height, at most kLockTimeMax; kCheckSequence for this many blocks.
  static constexpr uint32_t kLockTimeMax = 100;
  static uint32_t LockTimeOf(uint32_t key) { return 1 + key % kLockTimeMax; }
  static uint32_t SequenceOf(uint32_t key) { return 1 + key % 20; }

 private:
  struct Key {
    SecretKey secret;
    SecretKey even_secret;
    Bytes public_key;
    Bytes uncompressed_key;
    XOnlyKey x_only_key;
    SecretKey taproot_secret;
    bool script_output_is_odd;
    std::array<Bytes, kLockKinds> scripts;
  };

  void MakeKey(uint64_t seed, uint32_t index);
  void MakeScripts(uint32_t index);
  Bytes Multisig(uint32_t key, uint32_t needed, uint32_t total) const;

  std::vector<Key> keys_;
};

}  // namespace headrace::chaingen
