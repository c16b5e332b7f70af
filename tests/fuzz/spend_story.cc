#include "tests/fuzz/spend_story.h"

#include "engine/crypto/signing.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_writer.h"
#include "engine/script/script_builder.h"
#include "engine/script/signature_hash.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/spend_fixture.h"

namespace headrace::fuzz {
namespace {

using testing::SpendFixture;

enum Way : uint8_t {
  kBare,
  kPayToScriptHash,
  kPayToWitnessScriptHash,
  kNestedWitnessScriptHash,
  kTapscript,
  kPayToPubkeyHash,
  kPayToWitnessPubkeyHash,
  kTaprootKey,
  kFree,
  kWays,
};

// An item of these three bytes' form stands for a signature: mark, number of the key, hash type.
constexpr uint8_t kSignatureMark = 0xee;
constexpr size_t kStoryBegins = 8;
constexpr size_t kScriptBytesMax = 11'000;

// What one input is made of, before anything is hashed or signed.
struct Plan {
  uint8_t way = 0;
  uint8_t choice = 0;
  std::vector<Bytes> items;
  Bytes script;
  uint8_t leaf_version = kTapscriptLeafVersion;
  Bytes path;
  Bytes control;
};

SecretKey SecretOf(uint8_t number) {
  SecretKey secret{};
  secret[31] = static_cast<uint8_t>(1 + number % 4);
  return secret;
}

Bytes CompressedKey(uint8_t number) {
  static const std::vector<Bytes> keys = [] {
    std::vector<Bytes> made;
    for (uint8_t i = 0; i < 4; ++i) made.push_back(PublicKeyOf(SecretOf(i), true));
    return made;
  }();
  return keys[number % 4];
}

XOnlyKey InternalKey(uint8_t number) {
  XOnlyKey key;
  const Bytes compressed = CompressedKey(number);
  std::copy(compressed.begin() + 1, compressed.end(), key.begin());
  return key;
}

Bytes ToBytes(ByteSpan span) { return {span.begin(), span.end()}; }

Bytes ReadScript(FuzzInput& in) {
  const Bytes piece = ToBytes(in.Take(in.U16() % 1024));
  const uint8_t repeats = in.U8();
  Bytes script = piece;
  // Long scripts of short inputs, for the limits on bytes and operations.
  for (int i = 0; repeats >= 0xf0 && i < 1 << (repeats & 15) && script.size() < kScriptBytesMax; ++i) {
    script.insert(script.end(), piece.begin(), piece.end());
  }
  return script;
}

Plan ReadPlan(FuzzInput& in) {
  Plan plan;
  plan.way = static_cast<uint8_t>(in.Below(kWays));
  plan.choice = in.U8();
  for (uint64_t items = in.Below(7); items > 0; --items) plan.items.push_back(ToBytes(in.Counted()));
  plan.script = ReadScript(in);
  if (plan.way == kTapscript) {
    if ((plan.choice & 0x10) != 0) plan.leaf_version = in.U8() & kTaprootLeafMask;
    plan.path.resize(32 * in.Below(4), plan.choice);
  }
  return plan;
}

Bytes Pushes(const std::vector<Bytes>& items) {
  ScriptBuilder script;
  for (const Bytes& item : items) script.Data(item);
  return script.Take();
}

Bytes WitnessScriptHash(const Bytes& script) { return ScriptBuilder().Number(0).Data(Sha256(script)).Take(); }

Bytes ScriptHash(const Bytes& script) {
  return ScriptBuilder().Op(Opcode::kHash160).Data(Hash160(script)).Op(Opcode::kEqual).Take();
}

// The output that is spent; a tapscript's control block is filled in on the way.
Bytes OutputOf(Plan& plan) {
  switch (plan.way) {
    case kPayToScriptHash:
      return ScriptHash(plan.script);
    case kPayToWitnessScriptHash:
      return WitnessScriptHash(plan.script);
    case kNestedWitnessScriptHash:
      return ScriptHash(WitnessScriptHash(plan.script));
    case kPayToPubkeyHash:
      return ScriptBuilder()
          .Op(Opcode::kDup)
          .Op(Opcode::kHash160)
          .Data(Hash160(CompressedKey(plan.choice)))
          .Op(Opcode::kEqualVerify)
          .Op(Opcode::kCheckSig)
          .Take();
    case kPayToWitnessPubkeyHash:
      return ScriptBuilder().Number(0).Data(Hash160(CompressedKey(plan.choice))).Take();
    case kTaprootKey:
      return ScriptBuilder()
          .Number(1)
          .Data(TweakOutputKey(InternalKey(plan.choice), TapTweakHash(InternalKey(plan.choice), std::nullopt)).key)
          .Take();
    case kTapscript: {
      const XOnlyKey internal = InternalKey(plan.choice);
      Digest256 node = TapLeafHash(plan.leaf_version, plan.script);
      for (size_t at = 0; at < plan.path.size(); at += 32) {
        node = TapBranchHash(node, ByteSpan(plan.path).subspan(at, 32));
      }
      const TweakedOutputKey output = TweakOutputKey(internal, TapTweakHash(internal, node));
      plan.control = {static_cast<uint8_t>(plan.leaf_version | (output.is_odd ? 1 : 0))};
      plan.control.insert(plan.control.end(), internal.begin(), internal.end());
      plan.control.insert(plan.control.end(), plan.path.begin(), plan.path.end());
      return ScriptBuilder().Number(1).Data(output.key).Take();
    }
    default:
      return plan.script;
  }
}

bool IsMark(const Bytes& item) { return item.size() == 3 && item[0] == kSignatureMark; }

class Signer {
 public:
  Signer(const SpendStory& story, uint32_t input, const Plan& plan)
      : plan_(plan), input_(input), amount_(story.spent[input].amount), fixture_(WithWitness(story), story.spent) {}

  // The signature that a mark stands for; empty where there is nothing to sign.
  Bytes Sign(uint8_t key, uint8_t type) const {
    if (plan_.way == kTapscript || plan_.way == kTaprootKey) return SignTaproot(key, type);
    Bytes signature = SignEcdsa(SecretOf(key), EcdsaHash(type));
    signature.push_back(type);
    return signature;
  }

 private:
  // Midstates are made for transactions that have a witness; none of the hashes looks at it.
  static Bytes WithWitness(const SpendStory& story) {
    MutableTransaction copy = story.transaction;
    copy.inputs[0].witness = {{1}};
    return copy.Serialize();
  }

  Digest256 EcdsaHash(uint8_t type) const {
    const bool is_v0 = plan_.way == kPayToWitnessScriptHash || plan_.way == kNestedWitnessScriptHash ||
                       plan_.way == kPayToWitnessPubkeyHash;
    Bytes code = plan_.script;
    if (plan_.way == kPayToPubkeyHash || plan_.way == kPayToWitnessPubkeyHash) {
      Plan hash_of_key = plan_;
      hash_of_key.way = kPayToPubkeyHash;
      code = OutputOf(hash_of_key);
    }
    if (!is_v0) return LegacySignatureHash(fixture_.transaction(), input_, code, type);
    return WitnessV0SignatureHash(fixture_.transaction(), input_, code, amount_, type, fixture_.midstates());
  }

  Bytes SignTaproot(uint8_t key, uint8_t type) const {
    TaprootSignatureScope scope;
    if ((plan_.choice & 0x20) != 0) scope.annex_hash = AnnexHash(Annex());
    scope.is_tapscript = plan_.way == kTapscript;
    if (scope.is_tapscript) scope.leaf_hash = TapLeafHash(plan_.leaf_version, plan_.script);
    const auto hash =
        TaprootSignatureHash(fixture_.transaction(), input_, fixture_.coins(), type, scope, fixture_.midstates());
    if (!hash) return {};
    SecretKey secret = SecretOf(key);
    if (!scope.is_tapscript) secret = TweakSecretKey(secret, TapTweakHash(InternalKey(key), std::nullopt));
    Bytes signature = ToBytes(SignSchnorr(secret, *hash));
    if (type != kSighashDefault) signature.push_back(type);
    return signature;
  }

 public:
  static Bytes Annex() { return {kAnnexTag, 7}; }

 private:
  const Plan& plan_;
  const uint32_t input_;
  const Amount amount_;
  const SpendFixture fixture_;
};

// Puts signatures where marks are, and everything where the way of spending wants it.
void FillInput(SpendStory& story, uint32_t index, Plan& plan) {
  const bool signs_one = plan.way >= kPayToPubkeyHash && plan.way <= kTaprootKey;
  if (signs_one && plan.items.empty()) plan.items.push_back({kSignatureMark, plan.choice, kSighashAll});
  const bool has_mark = std::any_of(plan.items.begin(), plan.items.end(), IsMark);
  if (has_mark) {
    const Signer signer(story, index, plan);
    for (Bytes& item : plan.items) {
      if (IsMark(item)) item = signer.Sign(item[1], item[2]);
    }
  }
  TransactionInput& input = story.transaction.inputs[index];
  if (plan.way == kPayToPubkeyHash || plan.way == kPayToWitnessPubkeyHash)
    plan.items.push_back(CompressedKey(plan.choice));
  switch (plan.way) {
    case kBare:
    case kPayToPubkeyHash:
      input.script_sig = Pushes(plan.items);
      break;
    case kPayToScriptHash:
      plan.items.push_back(plan.script);
      input.script_sig = Pushes(plan.items);
      break;
    case kNestedWitnessScriptHash:
      input.script_sig = Pushes({WitnessScriptHash(plan.script)});
      [[fallthrough]];
    case kPayToWitnessScriptHash:
      plan.items.push_back(plan.script);
      [[fallthrough]];
    case kPayToWitnessPubkeyHash:
      input.witness = plan.items;
      break;
    case kTapscript:
      plan.items.push_back(plan.script);
      plan.items.push_back(plan.control);
      [[fallthrough]];
    case kTaprootKey:
      input.witness = plan.items;
      if ((plan.choice & 0x20) != 0) input.witness.push_back(Signer::Annex());
      break;
    default:
      if (!plan.items.empty()) input.script_sig = plan.items[0];
      input.witness.assign(plan.items.begin() + (plan.items.empty() ? 0 : 1), plan.items.end());
  }
}

}  // namespace

SpendStory ReadSpendStory(FuzzInput& in) {
  SpendStory story;
  story.transaction.version = static_cast<int8_t>(in.U8());
  story.transaction.lock_time = in.U32();
  std::vector<Plan> plans(1 + in.Below(4));
  for (Plan& plan : plans) {
    TransactionInput input;
    input.prevout.index = in.U8();
    input.sequence = in.U32();
    input.prevout.txid.bytes[0] = static_cast<uint8_t>(story.spent.size());
    plan = ReadPlan(in);
    story.transaction.inputs.push_back(std::move(input));
    story.spent.push_back({static_cast<Amount>(in.U16()), OutputOf(plan)});
  }
  for (uint64_t outputs = in.Below(4); outputs > 0; --outputs) {
    const Amount amount = static_cast<Amount>(in.U64());
    story.transaction.outputs.push_back({amount, ToBytes(in.Counted())});
  }
  for (uint32_t i = 0; i < plans.size(); ++i) FillInput(story, i, plans[i]);
  return story;
}

namespace {

// Writes what ReadSpendStory reads.
Bytes WriteStory(const std::vector<Plan>& plans, uint32_t sequence) {
  Bytes out(kStoryBegins, 0xff);
  ByteWriter writer(out);
  writer.U8(2);
  writer.U32(500);
  writer.U8(static_cast<uint8_t>(plans.size() - 1));
  for (const Plan& plan : plans) {
    writer.U8(0);
    writer.U32(sequence);
    writer.U8(plan.way);
    writer.U8(plan.choice);
    writer.U8(static_cast<uint8_t>(plan.items.size()));
    for (const Bytes& item : plan.items) {
      writer.U8(static_cast<uint8_t>(item.size()));
      writer.Bytes(item);
    }
    writer.U16(static_cast<uint16_t>(plan.script.size()));
    writer.Bytes(plan.script);
    writer.U8(0);
    if (plan.way == kTapscript) writer.U8(plan.choice % 3);
    writer.U16(5000);
  }
  writer.U8(1);
  writer.U64(4000);
  writer.U8(3);
  writer.Bytes(Bytes{0x51, 0x52, 0x53});
  return out;
}

std::vector<Bytes> Scripts() {
  std::vector<Bytes> scripts;
  scripts.push_back(ScriptBuilder().Data(CompressedKey(0)).Op(Opcode::kCheckSig).Take());
  scripts.push_back(ScriptBuilder().Data(InternalKey(0)).Op(Opcode::kCheckSig).Take());
  scripts.push_back(ScriptBuilder()
                        .Number(2)
                        .Data(CompressedKey(0))
                        .Data(CompressedKey(1))
                        .Data(CompressedKey(2))
                        .Number(3)
                        .Op(Opcode::kCheckMultisig)
                        .Take());
  scripts.push_back(ScriptBuilder()
                        .Data(InternalKey(0))
                        .Op(Opcode::kCheckSig)
                        .Data(InternalKey(1))
                        .Op(Opcode::kCheckSigAdd)
                        .Number(2)
                        .Op(Opcode::kNumEqual)
                        .Take());
  scripts.push_back(ScriptBuilder()
                        .Number(100)
                        .Op(Opcode::kCheckLockTimeVerify)
                        .Op(Opcode::kDrop)
                        .Number(3)
                        .Op(Opcode::kCheckSequenceVerify)
                        .Take());
  scripts.push_back(ScriptBuilder()
                        .Number(1)
                        .Op(Opcode::kIf)
                        .Number(2)
                        .Number(3)
                        .Op(Opcode::kElse)
                        .Op(Opcode::kReturn)
                        .Op(Opcode::kEndIf)
                        .Op(Opcode::kAdd)
                        .Number(5)
                        .Op(Opcode::kEqual)
                        .Take());
  scripts.push_back(ScriptBuilder()
                        .Op(Opcode::kSha256)
                        .Data(Sha256(Bytes{1}))
                        .Op(Opcode::kEqualVerify)
                        .Op(Opcode::kCodeSeparator)
                        .Data(CompressedKey(1))
                        .Op(Opcode::kCheckSigVerify)
                        .Number(1)
                        .Take());
  scripts.push_back(ScriptBuilder()
                        .Number(3)
                        .Number(2)
                        .Op(Opcode::kPick)
                        .Op(Opcode::k2Dup)
                        .Op(Opcode::kRoll)
                        .Op(Opcode::kToAltStack)
                        .Op(Opcode::kFromAltStack)
                        .Op(Opcode::kDepth)
                        .Number(7)
                        .Op(Opcode::kWithin)
                        .Op(Opcode::kSize)
                        .Op(Opcode::k0NotEqual)
                        .Take());
  scripts.push_back({0x61, 0xb3, 0x51});
  return scripts;
}

}  // namespace

std::vector<Bytes> SpendStories() {
  std::vector<Bytes> stories;
  const Bytes signature{kSignatureMark, 0, kSighashAll};
  const Bytes second{kSignatureMark, 1, kSighashSingle | kSighashAnyoneCanPay};
  for (uint8_t way = 0; way < kWays; ++way) {
    for (const Bytes& script : Scripts()) {
      Plan plan{way, static_cast<uint8_t>(stories.size() % 3 == 0 ? 0x21 : 1), {signature}, script};
      if (script.back() == 0xae) plan.items = {{}, signature, second};
      if (script.back() == 0x9c) plan.items = {second, signature};
      if (way >= kPayToPubkeyHash && way <= kTaprootKey) plan.items.clear();
      stories.push_back(WriteStory({plan}, stories.size() % 2 == 0 ? 5 : 0xfffffffe));
      if (script.back() != 0xae || plan.items.empty()) continue;
      // Something else than nothing for CHECKMULTISIG to drop (BIP147).
      plan.items[0] = {1};
      stories.push_back(WriteStory({plan}, 5));
    }
  }
  stories.push_back(WriteStory(
      {Plan{kTaprootKey, 2, {}, {}}, Plan{kPayToWitnessPubkeyHash, 1, {}, {}}, Plan{kPayToPubkeyHash, 3, {}, {}}}, 5));
  return stories;
}

}  // namespace headrace::fuzz
