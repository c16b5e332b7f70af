#include "tests/engine/script/made_spend.h"

#include <algorithm>

#include "engine/crypto/signing.h"
#include "engine/script/taproot.h"

namespace headrace::testing {
namespace {

constexpr Amount kAmount = 1000;
constexpr SecretKey kSecret{1, 2, 3};

Bytes TaprootOutput(const XOnlyKey& key) { return ScriptBuilder().Number(1).Data(key).Take(); }

}  // namespace

MutableTransaction MadeSpend::Transaction() const {
  MutableTransaction transaction;
  transaction.lock_time = lock_time;
  transaction.inputs.push_back({.script_sig = script_sig, .sequence = sequence, .witness = witness});
  transaction.outputs.push_back({kAmount / 2, {}});
  return transaction;
}

ScriptError MadeSpend::Verify(ScriptFlags flags) const {
  const SpendFixture fixture(Transaction().Serialize(), {{kAmount, script_pubkey}});
  return fixture.Verify(0, flags);
}

Digest256 MadeSpend::LegacyDigest(ByteSpan script_code) const {
  const SpendFixture fixture(Transaction().Serialize(), {{kAmount, script_pubkey}});
  return LegacySignatureHash(fixture.transaction(), 0, script_code, kSighashAll);
}

Digest256 MadeSpend::TaprootDigest(const TaprootSignatureScope& scope) const {
  // A witness of any kind, so that what taproot signs is prepared: it is not part of it.
  MadeSpend with_witness = *this;
  with_witness.witness = {{1}};
  const SpendFixture fixture(with_witness.Transaction().Serialize(), {{kAmount, script_pubkey}});
  return *TaprootSignatureHash(fixture.transaction(), 0, fixture.coins(), kSighashDefault, scope, fixture.midstates());
}

Bytes TestKey() { return PublicKeyOf(kSecret, true); }

Bytes TestSignature(const Digest256& digest) {
  Bytes signature = SignEcdsa(kSecret, digest);
  signature.push_back(kSighashAll);
  return signature;
}

MadeSpend SpendOfScript(const Bytes& script) { return {.script_pubkey = script}; }

MadeSpend SpendOfWitnessScript(const Bytes& script, std::vector<Bytes> items) {
  items.push_back(script);
  return {.script_pubkey = ScriptBuilder().Number(0).Data(Sha256(script)).Take(), .witness = std::move(items)};
}

MadeSpend SpendOfLeaf(const Bytes& script, std::vector<Bytes> items, const Bytes& path) {
  const XOnlyKey internal_key = XOnlyKeyOf(kSecret);
  Digest256 node = TapLeafHash(kTapscriptLeafVersion, script);
  // By the book (BIP341), and not by the function that is under test: the lesser of two nodes comes first.
  for (size_t at = 0; at < path.size(); at += 32) {
    const Bytes other(path.begin() + static_cast<ptrdiff_t>(at), path.begin() + static_cast<ptrdiff_t>(at) + 32);
    const Bytes own(node.begin(), node.end());
    Sha256Hasher hasher = TaggedHasher("TapBranch");
    node = hasher.Write(std::min(own, other)).Write(std::max(own, other)).Finish();
  }
  const TweakedOutputKey output = TweakOutputKey(internal_key, TapTweakHash(internal_key, node));
  Bytes control{static_cast<uint8_t>(kTapscriptLeafVersion | (output.is_odd ? 1 : 0))};
  control.insert(control.end(), internal_key.begin(), internal_key.end());
  control.insert(control.end(), path.begin(), path.end());
  items.push_back(script);
  items.push_back(control);
  return {.script_pubkey = TaprootOutput(output.key), .witness = std::move(items)};
}

MadeSpend SpendOfKey() { return {.script_pubkey = TaprootOutput(XOnlyKeyOf(kSecret))}; }

Bytes Repeated(Opcode opcode, size_t n) { return Bytes(n, static_cast<uint8_t>(opcode)); }

}  // namespace headrace::testing
