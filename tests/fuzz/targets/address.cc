// Base58, Bech32, addresses and private keys: what is decoded is encoded to the same text, or to its lower case.
#include "engine/script/address.h"

#include <algorithm>
#include <cctype>

#include "engine/script/base58.h"
#include "engine/script/bech32.h"
#include "engine/script/script_builder.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"

namespace headrace::fuzz {
namespace {

constexpr AddressPrefixes kNetworks[] = {kMainnetAddressPrefixes, kTestnetAddressPrefixes, kRegtestAddressPrefixes};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

void CheckText(std::string_view text) {
  for (const size_t size_max : {size_t{4}, size_t{25}, size_t{200}}) {
    const auto bytes = Base58Decode(text, size_max);
    HR_CHECK(!bytes || (bytes->size() <= size_max && Base58Encode(*bytes) == text));
    const auto payload = Base58CheckDecode(text, size_max);
    HR_CHECK(!payload || (payload->size() <= size_max && Base58CheckEncode(*payload) == text));
  }
  const auto bech32 = Bech32Decode(text);
  if (bech32) {
    HR_CHECK(text.size() <= 90 && Bech32Encode(bech32->variant, bech32->human_part, bech32->values) == Lower(text));
    const auto bytes = FromFiveBits(bech32->values);
    if (bytes) HR_CHECK(ToFiveBits(*bytes) == bech32->values);
  }
  for (const AddressPrefixes& prefixes : kNetworks) {
    const auto script = DecodeAddress(text, prefixes);
    if (script) {
      const auto address = EncodeAddress(*script, prefixes);
      HR_CHECK(address && (*address == text || *address == Lower(text)));
    }
    const auto key = DecodePrivateKey(text, prefixes);
    if (key) HR_CHECK(EncodePrivateKey(*key, prefixes) == text);
  }
}

void CheckBytes(ByteSpan bytes) {
  const Bytes copy(bytes.begin(), bytes.end());
  HR_CHECK(Base58Decode(Base58Encode(bytes), bytes.size()) == copy);
  HR_CHECK(Base58CheckDecode(Base58CheckEncode(bytes), bytes.size()) == copy);
  HR_CHECK(FromFiveBits(ToFiveBits(bytes)) == copy);
  for (const AddressPrefixes& prefixes : kNetworks) {
    const auto address = EncodeAddress(bytes, prefixes);
    if (address) HR_CHECK(DecodeAddress(*address, prefixes) == copy);
  }
  if (copy.size() > 40) return;
  for (const Bech32Variant variant : {Bech32Variant::kBech32, Bech32Variant::kBech32m}) {
    const auto decoded = Bech32Decode(Bech32Encode(variant, "hr", ToFiveBits(bytes)));
    HR_CHECK(decoded && decoded->variant == variant && decoded->values == ToFiveBits(bytes));
  }
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint8_t choice = in.U8();
  const ByteSpan body = in.Take(150);
  if (choice % 4 == 0) {
    CheckBytes(body);
  } else if (choice % 4 == 1) {
    // A checksum that holds over a payload that may be anything.
    CheckText(Base58CheckEncode(body));
  } else if (choice % 4 == 2) {
    Bytes values(body.begin(), body.begin() + std::min<size_t>(body.size(), 70));
    for (uint8_t& value : values) value &= 31;
    CheckText(
        Bech32Encode(choice & 4 ? Bech32Variant::kBech32 : Bech32Variant::kBech32m, choice & 8 ? "bc" : "tb", values));
  } else {
    CheckText(AsText(body));
  }
}

Bytes WithChoice(uint8_t choice, ByteSpan body) {
  Bytes input{choice};
  input.insert(input.end(), body.begin(), body.end());
  return input;
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  std::vector<Bytes> scripts;
  const Bytes hash(32, 7);
  const ByteSpan short_hash = ByteSpan(hash).first(20);
  scripts.push_back(ScriptBuilder()
                        .Op(Opcode::kDup)
                        .Op(Opcode::kHash160)
                        .Data(short_hash)
                        .Op(Opcode::kEqualVerify)
                        .Op(Opcode::kCheckSig)
                        .Take());
  scripts.push_back(ScriptBuilder().Op(Opcode::kHash160).Data(short_hash).Op(Opcode::kEqual).Take());
  for (const int version : {0, 1, 2, 16}) scripts.push_back(ScriptBuilder().Number(version).Data(hash).Take());
  scripts.push_back(ScriptBuilder().Number(0).Data(short_hash).Take());
  scripts.push_back({0x51, 0x02, 0x4e, 0x73});
  for (const Bytes& script : scripts) {
    corpus.push_back(WithChoice(0, script));
    for (const AddressPrefixes& prefixes : kNetworks) {
      corpus.push_back(WithChoice(3, AsBytes(*EncodeAddress(script, prefixes))));
    }
  }
  SecretKey secret{};
  secret[0] = 9;
  for (const bool is_compressed : {false, true}) {
    corpus.push_back(WithChoice(3, AsBytes(EncodePrivateKey({secret, is_compressed}, kNetworks[0]))));
    Bytes payload{128};
    payload.insert(payload.end(), secret.begin(), secret.end());
    if (is_compressed) payload.push_back(1);
    corpus.push_back(WithChoice(1, payload));
  }
  corpus.push_back(WithChoice(2, Bytes(33, 1)));
  corpus.push_back(WithChoice(6, Bytes(53, 0)));
  return corpus;
}

FUZZ_TARGET(address, 15'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
