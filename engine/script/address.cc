#include "engine/script/address.h"

#include <algorithm>

#include "engine/script/base58.h"
#include "engine/script/bech32.h"
#include "engine/script/script_builder.h"
#include "engine/script/standard.h"
#include "engine/script/witness_program.h"

namespace headrace {
namespace {

constexpr size_t kHashBytes = 20;
constexpr size_t kSecretBytes = 32;

std::string EncodeHash(uint8_t prefix, ByteSpan hash) {
  std::vector<uint8_t> payload{prefix};
  payload.insert(payload.end(), hash.begin(), hash.end());
  return Base58CheckEncode(payload);
}

// Version 0 keeps Bech32, later ones take Bech32m. (BIP350)
Bech32Variant VariantOf(int witness_version) {
  return witness_version == 0 ? Bech32Variant::kBech32 : Bech32Variant::kBech32m;
}

std::string EncodeProgram(int version, ByteSpan program, std::string_view human_part) {
  std::vector<uint8_t> values{static_cast<uint8_t>(version)};
  const std::vector<uint8_t> groups = ToFiveBits(program);
  values.insert(values.end(), groups.begin(), groups.end());
  return Bech32Encode(VariantOf(version), human_part, values);
}

std::optional<std::vector<uint8_t>> DecodeHashAddress(std::string_view text, const AddressPrefixes& prefixes) {
  const auto payload = Base58CheckDecode(text, 1 + kHashBytes);
  if (!payload || payload->size() != 1 + kHashBytes) return std::nullopt;
  const ByteSpan hash = ByteSpan(*payload).subspan(1);
  ScriptBuilder script;
  if (payload->front() == prefixes.pubkey_hash) {
    script.Op(Opcode::kDup).Op(Opcode::kHash160).Data(hash).Op(Opcode::kEqualVerify).Op(Opcode::kCheckSig);
  } else if (payload->front() == prefixes.script_hash) {
    script.Op(Opcode::kHash160).Data(hash).Op(Opcode::kEqual);
  } else {
    return std::nullopt;
  }
  return script.Take();
}

std::optional<std::vector<uint8_t>> DecodeProgramAddress(const Bech32Text& text, const AddressPrefixes& prefixes) {
  if (text.human_part != prefixes.segwit_human_part || text.values.empty()) return std::nullopt;
  const int version = text.values[0];
  if (version > 16 || text.variant != VariantOf(version)) return std::nullopt;
  const auto program = FromFiveBits(ByteSpan(text.values).subspan(1));
  // A program MUST have 2 to 40 bytes; of version 0, 20 or 32. (BIP141, BIP173)
  if (!program || program->size() < 2 || program->size() > 40) return std::nullopt;
  if (version == 0 && program->size() != kWitnessV0KeyHashBytes && program->size() != kWitnessV0ScriptHashBytes) {
    return std::nullopt;
  }
  return ScriptBuilder().Number(version).Data(*program).Take();
}

}  // namespace

std::optional<std::string> EncodeAddress(ByteSpan script, const AddressPrefixes& prefixes) {
  const OutputTemplate output = MatchOutput(script);
  switch (output.kind) {
    case OutputKind::kPubkeyHash:
      return EncodeHash(prefixes.pubkey_hash, output.payload);
    case OutputKind::kScriptHash:
      return EncodeHash(prefixes.script_hash, output.payload);
    case OutputKind::kWitnessV0KeyHash:
    case OutputKind::kWitnessV0ScriptHash:
    case OutputKind::kWitnessV1Taproot:
    case OutputKind::kWitnessUnknown:
    case OutputKind::kAnchor:
      return EncodeProgram(output.witness_version, output.payload, prefixes.segwit_human_part);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<uint8_t>> DecodeAddress(std::string_view text, const AddressPrefixes& prefixes) {
  if (const auto bech32 = Bech32Decode(text)) return DecodeProgramAddress(*bech32, prefixes);
  return DecodeHashAddress(text, prefixes);
}

std::string EncodePrivateKey(const PrivateKey& key, const AddressPrefixes& prefixes) {
  std::vector<uint8_t> payload{prefixes.secret_key};
  payload.insert(payload.end(), key.secret.begin(), key.secret.end());
  if (key.compressed) payload.push_back(1);
  return Base58CheckEncode(payload);
}

std::optional<PrivateKey> DecodePrivateKey(std::string_view text, const AddressPrefixes& prefixes) {
  const auto payload = Base58CheckDecode(text, 1 + kSecretBytes + 1);
  if (!payload || payload->size() < 1 + kSecretBytes || payload->front() != prefixes.secret_key) return std::nullopt;
  PrivateKey key{{}, payload->size() == 1 + kSecretBytes + 1};
  if (key.compressed && payload->back() != 1) return std::nullopt;
  std::copy_n(payload->begin() + 1, kSecretBytes, key.secret.begin());
  if (!IsValidSecretKey(key.secret)) return std::nullopt;
  return key;
}

}  // namespace headrace
