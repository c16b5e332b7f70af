#include "tests/engine/script/required_signatures.h"

#include "engine/primitives/byte_reader.h"
#include "engine/script/script_iterator.h"
#include "engine/script/standard.h"
#include "engine/script/taproot.h"

namespace headrace::testing {
namespace {

constexpr uint8_t kDerSequence = 0x30;
constexpr uint8_t kDerInteger = 0x02;

// 30 <size> 02 <size> r 02 <size> s <hash type>, whatever the numbers are.
std::optional<SignaturePlace> EcdsaPlace(ByteSpan item, uint32_t item_offset) {
  if (item.size() < 9 || item[0] != kDerSequence || item[1] != item.size() - 3 || item[2] != kDerInteger) return {};
  const uint32_t r_size = item[3];
  if (r_size == 0 || r_size + 8 > item.size() || item[4 + r_size] != kDerInteger) return {};
  const uint32_t s_size = item[5 + r_size];
  if (s_size == 0 || r_size + s_size + 7 != item.size()) return {};
  return SignaturePlace{false, item_offset + 4, r_size, item_offset + 6 + r_size, s_size};
}

std::optional<SignaturePlace> SchnorrPlace(ByteSpan item, uint32_t item_offset) {
  if (item.size() != 64 && item.size() != 65) return {};
  return SignaturePlace{true, item_offset, 32, item_offset + 32, 32};
}

std::vector<ByteSpan> Pushes(ByteSpan script) {
  std::vector<ByteSpan> pushes;
  for (ScriptIterator operation(script); operation.Next();) pushes.push_back(operation.data());
  return pushes;
}

std::vector<ByteSpan> WitnessItems(ByteSpan serialized) {
  std::vector<ByteSpan> items;
  if (serialized.empty()) return items;
  ByteReader reader(serialized);
  for (uint32_t count = reader.CompactSize(); count != 0; --count) items.push_back(reader.VarBytes());
  return items;
}

// The last item, taken off.
ByteSpan TakeLast(std::vector<ByteSpan>& items) {
  if (items.empty()) return {};
  const ByteSpan last = items.back();
  items.pop_back();
  return last;
}

class Finder {
 public:
  explicit Finder(const uint8_t* raw) : raw_(raw) {}

  RequiredSignatures Find(ByteSpan spent_script, ByteSpan script_sig, ByteSpan witness) {
    std::vector<ByteSpan> pushes = Pushes(script_sig);
    if (ClassifyOutput(spent_script) != OutputKind::kScriptHash) {
      if (ClassifyOutput(spent_script) == OutputKind::kWitnessV1Taproot) return Taproot(WitnessItems(witness));
      return Program(spent_script, "", std::move(pushes), WitnessItems(witness));
    }
    const ByteSpan redeem_script = TakeLast(pushes);
    return Program(redeem_script, "p2sh ", std::move(pushes), WitnessItems(witness));
  }

 private:
  uint32_t OffsetOf(ByteSpan item) const { return static_cast<uint32_t>(item.data() - raw_); }

  RequiredSignatures Program(ByteSpan script, std::string form, std::vector<ByteSpan> pushes,
                             std::vector<ByteSpan> witness) {
    switch (ClassifyOutput(script)) {
      case OutputKind::kWitnessV0KeyHash:
        return Ecdsa(form + "p2wpkh", 1, witness);
      case OutputKind::kWitnessV0ScriptHash: {
        const ByteSpan witness_script = TakeLast(witness);
        return Script(witness_script, form + "p2wsh ", witness);
      }
      default:
        return Script(script, form, pushes);
    }
  }

  // Signatures that `script` asks for among the items that it runs on.
  RequiredSignatures Script(ByteSpan script, std::string form, const std::vector<ByteSpan>& items) {
    const OutputTemplate output = MatchOutput(script);
    switch (output.kind) {
      case OutputKind::kPubkey:
        return Ecdsa(form + "pubkey", 1, items);
      case OutputKind::kPubkeyHash:
        return Ecdsa(form + "pubkeyhash", 1, items);
      case OutputKind::kMultisig:
        return Ecdsa(form + "multisig", static_cast<size_t>(output.required), items);
      default:
        return Ecdsa(form + "other", std::nullopt, items);
    }
  }

  RequiredSignatures Ecdsa(std::string form, std::optional<size_t> count, const std::vector<ByteSpan>& items) {
    RequiredSignatures found{std::move(form), count, {}, 0};
    for (const ByteSpan item : items) {
      if (const auto place = EcdsaPlace(item, OffsetOf(item))) found.places.push_back(*place);
    }
    if (count && *count > found.places.size()) {
      // Before BIP66 a signature could be encoded in many ways; it still begins as a sequence.
      for (const ByteSpan item : items) {
        found.malformed += !item.empty() && item[0] == kDerSequence && !EcdsaPlace(item, OffsetOf(item));
      }
    }
    return found;
  }

  RequiredSignatures Taproot(std::vector<ByteSpan> items) {
    if (items.size() >= 2 && !items.back().empty() && items.back()[0] == kAnnexTag) items.pop_back();
    if (items.size() == 1) return Schnorr("taproot key", items[0]);
    RequiredSignatures other{"taproot other", std::nullopt, {}, 0};
    if (items.size() != 3) return other;
    // <key> OP_CHECKSIG in a leaf whose version gives it that meaning.
    const ByteSpan script = items[1];
    const bool is_key = script.size() == 34 && script[0] == 32 && script[33] == static_cast<uint8_t>(Opcode::kCheckSig);
    const bool is_tapscript = !items[2].empty() && (items[2][0] & kTaprootLeafMask) == kTapscriptLeafVersion;
    return is_key && is_tapscript ? Schnorr("taproot leaf", items[0]) : other;
  }

  RequiredSignatures Schnorr(std::string form, ByteSpan item) {
    RequiredSignatures found{std::move(form), 1, {}, 0};
    if (const auto place = SchnorrPlace(item, OffsetOf(item))) found.places.push_back(*place);
    return found;
  }

  const uint8_t* raw_;
};

}  // namespace

RequiredSignatures FindRequiredSignatures(TransactionView transaction, uint32_t input, ByteSpan spent_script) {
  return Finder(transaction.columns().raw.data())
      .Find(spent_script, transaction.script_sig(input), transaction.witness(input));
}

}  // namespace headrace::testing
