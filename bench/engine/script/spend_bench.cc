// One spend of each common kind, whole (midstates, scripts, digest, curve), and beside it the bare libsecp256k1 time of
// the same signature, key and signature parsed each time: overhead = ours / bare. Then all inputs of real blocks.
#include <benchmark/benchmark.h>
#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include <string>

#include "engine/base/check.h"
#include "engine/crypto/signing.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/script/script_builder.h"
#include "engine/script/signature_hash.h"
#include "engine/script/taproot.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

constexpr ScriptFlags kFlags = kVerifyP2sh | kVerifyDerSignatures | kVerifyCheckLockTimeVerify |
                               kVerifyCheckSequenceVerify | kVerifyWitness | kVerifyNullDummy | kVerifyTaproot;
constexpr SecretKey kSecret{1, 2, 3};

enum class SpendKind { kPubkeyHash, kWitnessKeyHash, kTaprootKey, kTaprootScript };

// A transaction of one input and two outputs that spends one coin, signed.
class SignedSpend {
 public:
  explicit SignedSpend(SpendKind kind) : kind_(kind), key_(PublicKeyOf(kSecret, true)) {
    const XOnlyKey internal_key = XOnlyKeyOf(kSecret);
    leaf_script_ = ScriptBuilder().Data(internal_key).Op(Opcode::kCheckSig).Take();
    leaf_hash_ = TapLeafHash(kTapscriptLeafVersion, leaf_script_);
    tweak_ = TapTweakHash(internal_key, kind == SpendKind::kTaprootScript ? std::optional(leaf_hash_) : std::nullopt);
    output_ = TweakOutputKey(internal_key, tweak_);
    script_ = OutputScript();
    Assemble(Bytes(), {{0}});
    Sign();
    HR_CHECK(Verify());
  }
  SignedSpend(const SignedSpend&) = delete;
  SignedSpend& operator=(const SignedSpend&) = delete;

  bool Verify() {
    PrepareMidstates(View(), coins_, midstates_);
    return VerifySpend(View(), 0, coins_, kFlags, midstates_) == ScriptError::kOk;
  }

  bool VerifyBare() const {
    const secp256k1_context* context = secp256k1_context_static;
    if (kind_ == SpendKind::kPubkeyHash || kind_ == SpendKind::kWitnessKeyHash) {
      secp256k1_pubkey key;
      secp256k1_ecdsa_signature signature;
      return secp256k1_ec_pubkey_parse(context, &key, key_.data(), key_.size()) != 0 &&
             secp256k1_ecdsa_signature_parse_der(context, &signature, signature_.data(), signature_.size()) != 0 &&
             secp256k1_ecdsa_verify(context, &signature, digest_.data(), &key) != 0;
    }
    const XOnlyKey x_only = kind_ == SpendKind::kTaprootKey ? output_.key : XOnlyKeyOf(kSecret);
    secp256k1_xonly_pubkey key;
    return secp256k1_xonly_pubkey_parse(context, &key, x_only.data()) != 0 &&
           secp256k1_schnorrsig_verify(context, signature_.data(), digest_.data(), digest_.size(), &key) != 0;
  }

 private:
  TransactionView View() const { return {columns_, 0}; }

  Bytes OutputScript() const {
    if (kind_ == SpendKind::kPubkeyHash) return PubkeyHashScript();
    if (kind_ == SpendKind::kWitnessKeyHash) return ScriptBuilder().Number(0).Data(Hash160(key_)).Take();
    return ScriptBuilder().Number(1).Data(output_.key).Take();
  }
  Bytes PubkeyHashScript() const {
    return ScriptBuilder().Op(Opcode::kDup).Op(Opcode::kHash160).Data(Hash160(key_)).Op(Opcode::kEqualVerify)
        .Op(Opcode::kCheckSig).Take();
  }

  void Assemble(const Bytes& script_sig, const std::vector<Bytes>& witness) {
    raw_.clear();
    ByteWriter writer(raw_);
    writer.U32(2);
    if (!witness.empty()) writer.U16(0x0100);
    writer.CompactSize(1);
    writer.Bytes(Bytes(36, 7));
    writer.VarBytes(script_sig);
    writer.U32(0xffffffff);
    writer.CompactSize(2);
    for (int output = 0; output < 2; ++output) {
      writer.U64(1000);
      writer.VarBytes(script_);
    }
    if (!witness.empty()) {
      writer.CompactSize(witness.size());
      for (const Bytes& item : witness) writer.VarBytes(item);
    }
    writer.U32(0);
    HR_CHECK(DecodeTransaction(raw_, WitnessEncoding::kAllowed, columns_) == DecodeError::kNone);
    coins_ = {{2000, 0, false, script_}};
    PrepareMidstates(View(), coins_, midstates_);
  }

  void Sign() {
    if (kind_ == SpendKind::kPubkeyHash || kind_ == SpendKind::kWitnessKeyHash) {
      const bool is_legacy = kind_ == SpendKind::kPubkeyHash;
      digest_ = is_legacy ? LegacySignatureHash(View(), 0, script_, kSighashAll)
                          : WitnessV0SignatureHash(View(), 0, PubkeyHashScript(), 2000, kSighashAll, midstates_);
      signature_ = SignEcdsa(kSecret, digest_);
      Bytes with_type = signature_;
      with_type.push_back(kSighashAll);
      if (is_legacy) return Assemble(ScriptBuilder().Data(with_type).Data(key_).Take(), {});
      return Assemble({}, {with_type, key_});
    }
    TaprootSignatureScope scope;
    scope.is_tapscript = kind_ == SpendKind::kTaprootScript;
    scope.leaf_hash = leaf_hash_;
    digest_ = *TaprootSignatureHash(View(), 0, coins_, kSighashDefault, scope, midstates_);
    const auto signature = SignSchnorr(scope.is_tapscript ? kSecret : TweakSecretKey(kSecret, tweak_), digest_);
    signature_.assign(signature.begin(), signature.end());
    if (!scope.is_tapscript) return Assemble({}, {signature_});
    Bytes control{static_cast<uint8_t>(kTapscriptLeafVersion | (output_.is_odd ? 1 : 0))};
    const XOnlyKey internal_key = XOnlyKeyOf(kSecret);
    control.insert(control.end(), internal_key.begin(), internal_key.end());
    Assemble({}, {signature_, leaf_script_, control});
  }

  const SpendKind kind_;
  const Bytes key_;
  Bytes leaf_script_;
  Digest256 leaf_hash_;
  Digest256 tweak_;
  TweakedOutputKey output_;
  Bytes script_;
  Bytes raw_;
  TransactionColumns columns_;
  std::vector<Coin> coins_;
  TransactionMidstates midstates_;
  Digest256 digest_;
  Bytes signature_;
};

void Spend(benchmark::State& state, SpendKind kind) {
  SignedSpend spend(kind);
  for (auto _ : state) HR_CHECK(spend.Verify());
}

void Bare(benchmark::State& state, SpendKind kind) {
  const SignedSpend spend(kind);
  for (auto _ : state) HR_CHECK(spend.VerifyBare());
}

// All inputs of a block whose spent outputs stand beside it.
void RealBlock(benchmark::State& state, const std::string& prevouts_path, ScriptFlags flags) {
  const Bytes raw = testing::ReadFileBytes(prevouts_path.substr(0, prevouts_path.rfind('.')) + ".raw");
  const Bytes prevouts = testing::ReadFileBytes(prevouts_path);
  BlockColumns block;
  HR_CHECK(DecodeBlock(raw, block) == DecodeError::kNone);
  std::vector<Coin> spent(block.input_count());
  ByteReader reader(prevouts);
  for (size_t i = 1; i < spent.size(); ++i) {
    spent[i].amount = static_cast<Amount>(reader.U64());
    spent[i].script = reader.VarBytes();
  }
  HR_CHECK(reader.ok());
  for (auto _ : state) {
    for (uint32_t t = 1; t < block.transaction_count(); ++t) {
      const TransactionView transaction = block.transaction(t);
      const std::span<const Coin> coins =
          std::span<const Coin>(spent).subspan(transaction.first_input(), transaction.input_count());
      TransactionMidstates midstates;
      PrepareMidstates(transaction, coins, midstates);
      for (uint32_t i = 0; i < coins.size(); ++i) {
        HR_CHECK(VerifySpend(transaction, i, coins, flags, midstates) == ScriptError::kOk);
      }
    }
  }
  state.counters["inputs"] = benchmark::Counter(
      static_cast<double>(spent.size() - 1) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void RegisterRealBlocks() {
  for (const std::string& path : testing::DataFilesEndingWith(".prevouts")) {
    const bool is_mainnet = path.find("/mainnet/") != std::string::npos;
    const std::string name = path.substr(path.rfind('/') + 1);
    const ScriptFlags flags = is_mainnet ? ScriptFlags{kVerifyP2sh} : kFlags & ~ScriptFlags{kVerifyTaproot};
    benchmark::RegisterBenchmark(("RealBlock/" + name.substr(0, name.rfind('.'))).c_str(),
                                 [=](benchmark::State& state) { RealBlock(state, path, flags); })
        ->Unit(benchmark::kMillisecond);
  }
}

BENCHMARK_CAPTURE(Spend, pubkeyhash, SpendKind::kPubkeyHash);
BENCHMARK_CAPTURE(Bare, pubkeyhash, SpendKind::kPubkeyHash);
BENCHMARK_CAPTURE(Spend, witness_v0_keyhash, SpendKind::kWitnessKeyHash);
BENCHMARK_CAPTURE(Bare, witness_v0_keyhash, SpendKind::kWitnessKeyHash);
BENCHMARK_CAPTURE(Spend, taproot_key, SpendKind::kTaprootKey);
BENCHMARK_CAPTURE(Bare, taproot_key, SpendKind::kTaprootKey);
BENCHMARK_CAPTURE(Spend, taproot_script, SpendKind::kTaprootScript);
BENCHMARK_CAPTURE(Bare, taproot_script, SpendKind::kTaprootScript);

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  headrace::RegisterRealBlocks();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
