// Keys, the scripts that lock coins to them, and signatures: what the cases about scripts are made with. Signatures are
// real; what is signed is worked out by the engine's own digests, which have tests of their own against published
// vectors. Pure.
#pragma once

#include <vector>

#include "engine/base/bytes.h"
#include "engine/crypto/signing.h"
#include "engine/primitives/mutable_transaction.h"
#include "engine/script/signature_hash.h"
#include "tests/rules/branch.h"

namespace headrace::testing {

struct KeyPair {
  SecretKey secret;
  Bytes public_key;  // compressed
};
// The same key for the same number, from 1.
KeyPair TestKey(uint8_t number);

// Output scripts.
Bytes PayToPubkey(const KeyPair& key);
Bytes PayToPubkeyHash(const KeyPair& key);
Bytes PayToScriptHash(const Bytes& redeem_script);
Bytes PayToWitnessKeyHash(const KeyPair& key);
Bytes PayToWitnessScriptHash(const Bytes& witness_script);
// `needed` of the keys numbered 1 to `total`.
Bytes Multisig(int needed, int total);

// Taproot: the output that a key and one leaf script make (BIP341), and how to spend either way.
struct TaprootLock {
  Bytes script;         // the output's
  SecretKey secret;     // signs for the key path
  Bytes leaf;           // its only script
  Bytes control_block;  // of that leaf
};
TaprootLock PayToTaproot(const KeyPair& key, const Bytes& leaf);

// Digests of a transaction whose inputs spend `spent`, in order.
Digest256 LegacyDigest(const MutableTransaction& transaction, uint32_t input, const Bytes& script_code, uint8_t type);
Digest256 WitnessDigest(const MutableTransaction& transaction, uint32_t input, const std::vector<HeldCoin>& spent,
                        const Bytes& script_code, uint8_t type);
// With BIP342's extension when `leaf` is not empty.
Digest256 TaprootDigest(const MutableTransaction& transaction, uint32_t input, const std::vector<HeldCoin>& spent,
                        const Bytes& leaf, uint8_t type);

// Strict DER and the hash type.
Bytes EcdsaSignature(const KeyPair& key, const Digest256& digest, uint8_t type);
Bytes SchnorrSignature(const SecretKey& secret, const Digest256& digest);

// Fill in input 0 of a transaction that spends one coin.
void SignPubkey(MutableTransaction& transaction, const HeldCoin& coin, const KeyPair& key, uint32_t input = 0);
void SignWitnessKeyHash(MutableTransaction& transaction, const std::vector<HeldCoin>& coins, uint32_t input,
                        const KeyPair& key);

}  // namespace headrace::testing
