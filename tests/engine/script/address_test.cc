#include "engine/script/address.h"

#include <gtest/gtest.h>

#include <cctype>
#include <iostream>

#include "engine/base/hex.h"
#include "engine/script/base58.h"
#include "engine/script/bech32.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

const AddressPrefixes& PrefixesOf(const std::string& chain) {
  if (chain == "main") return kMainnetAddressPrefixes;
  if (chain == "regtest") return kRegtestAddressPrefixes;
  return chain == "signet" ? kSignetAddressPrefixes : kTestnetAddressPrefixes;
}

std::string FlipCase(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::islower(static_cast<unsigned char>(c)) ? std::toupper(c) : std::tolower(c));
  return text;
}

void CheckPrivateKey(const nlohmann::json& entry, const AddressPrefixes& prefixes) {
  const std::string text = entry[0];
  const auto key = DecodePrivateKey(text, prefixes);
  ASSERT_TRUE(key);
  EXPECT_EQ(HexEncode(key->secret), entry[1].get<std::string>());
  EXPECT_EQ(key->compressed, entry[2]["isCompressed"].get<bool>());
  EXPECT_EQ(EncodePrivateKey(*key, prefixes), text);
  EXPECT_FALSE(DecodeAddress(text, prefixes));
}

void CheckAddress(const nlohmann::json& entry, const AddressPrefixes& prefixes) {
  const std::string text = entry[0];
  const auto script = DecodeAddress(text, prefixes);
  ASSERT_TRUE(script);
  EXPECT_EQ(HexEncode(*script), entry[1].get<std::string>());
  EXPECT_EQ(EncodeAddress(*script, prefixes), text);
  EXPECT_FALSE(DecodePrivateKey(text, prefixes));
  const bool case_is_free = entry[2].value("tryCaseFlip", false);
  EXPECT_EQ(DecodeAddress(FlipCase(text), prefixes).has_value(), case_is_free);
}

TEST(AddressTest, ValidVectors) {
  HR_NEEDS_DATA("vectors/key_io_valid.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/key_io_valid.json");
  for (const nlohmann::json& entry : cases) {
    SCOPED_TRACE(entry.dump());
    const AddressPrefixes& prefixes = PrefixesOf(entry[2]["chain"]);
    entry[2]["isPrivkey"].get<bool>() ? CheckPrivateKey(entry, prefixes) : CheckAddress(entry, prefixes);
  }
  std::cout << "addresses and keys: " << cases.size() << " cases\n";
  EXPECT_GT(cases.size(), 0u);
}

TEST(AddressTest, InvalidVectors) {
  HR_NEEDS_DATA("vectors/key_io_invalid.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/key_io_invalid.json");
  for (const nlohmann::json& entry : cases) {
    for (const char* chain : {"main", "testnet4", "signet", "regtest"}) {
      EXPECT_FALSE(DecodeAddress(entry[0].get<std::string>(), PrefixesOf(chain))) << entry.dump();
      EXPECT_FALSE(DecodePrivateKey(entry[0].get<std::string>(), PrefixesOf(chain))) << entry.dump();
    }
  }
  std::cout << "invalid addresses: " << cases.size() << " cases\n";
  EXPECT_GT(cases.size(), 0u);
}

TEST(AddressTest, Base58Vectors) {
  HR_NEEDS_DATA("vectors/base58_encode_decode.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/base58_encode_decode.json");
  for (const nlohmann::json& entry : cases) {
    const Bytes bytes = testing::FromHex(entry[0]);
    EXPECT_EQ(Base58Encode(bytes), entry[1].get<std::string>());
    EXPECT_EQ(Base58Decode(entry[1].get<std::string>(), bytes.size()), bytes);
    if (!bytes.empty()) {
      EXPECT_FALSE(Base58Decode(entry[1].get<std::string>(), bytes.size() - 1));
    }
  }
  std::cout << "base58: " << cases.size() << " cases\n";
  EXPECT_GT(cases.size(), 0u);
}

TEST(AddressTest, EncodingsDetectDamage) {
  const Bytes script = testing::FromHex("0014751e76e8199196d454941c45d1b3a323f1433bd6");
  const std::string address = *EncodeAddress(script, kMainnetAddressPrefixes);
  EXPECT_EQ(address, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
  EXPECT_FALSE(DecodeAddress(address, kRegtestAddressPrefixes));
  for (size_t i = 0; i < address.size(); ++i) {
    std::string damaged = address;
    damaged[i] = damaged[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(DecodeAddress(damaged, kMainnetAddressPrefixes)) << damaged;
    EXPECT_FALSE(DecodeAddress(address.substr(0, i), kMainnetAddressPrefixes));
  }
  EXPECT_FALSE(Base58Decode("0", 10));
  EXPECT_FALSE(Base58CheckDecode("", 10));
}

// The checksum alone, from BIP173 and BIP350's lists of strings.
TEST(AddressTest, Bech32Limits) {
  EXPECT_TRUE(Bech32Decode("A12UEL5L"));
  EXPECT_TRUE(Bech32Decode("A1LQFN3A"));
  EXPECT_EQ(Bech32Decode("A1LQFN3A")->variant, Bech32Variant::kBech32m);
  EXPECT_FALSE(Bech32Decode("A12uel5l"));
  EXPECT_FALSE(Bech32Decode("1pzry9x0s0muk"));
  EXPECT_FALSE(Bech32Decode("pzry9x0s0muk"));
  EXPECT_FALSE(Bech32Decode("a12uel"));
  EXPECT_FALSE(Bech32Decode(std::string("\x20") + "1nwldj5"));
  EXPECT_FALSE(
      Bech32Decode("an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx"));
}

}  // namespace
}  // namespace headrace
