#include "engine/script/disassemble.h"

#include <gtest/gtest.h>

#include "engine/base/hex.h"

namespace headrace {
namespace {

std::string Words(const std::string& hex) { return DisassembleScript(*HexDecode(hex)); }

TEST(DisassembleTest, OpcodesByNameAndPushesByTheirBytes) {
  EXPECT_EQ(Words(""), "");
  EXPECT_EQ(Words("76a914000102030405060708090a0b0c0d0e0f1011121388ac"),
            "OP_DUP OP_HASH160 000102030405060708090a0b0c0d0e0f10111213 OP_EQUALVERIFY OP_CHECKSIG");
  EXPECT_EQ(Words("5121" + std::string(66, 'a') + "51ae"), "1 " + std::string(66, 'a') + " 1 OP_CHECKMULTISIG");
  EXPECT_EQ(Words("ba"), "OP_CHECKSIGADD");
  EXPECT_EQ(Words("bbfdff"), "OP_UNKNOWN OP_UNKNOWN OP_INVALIDOPCODE");
}

TEST(DisassembleTest, ShortPushesAreNumbers) {
  EXPECT_EQ(Words("004f5160"), "0 -1 1 16");
  EXPECT_EQ(Words("0105"), "5");
  EXPECT_EQ(Words("0185"), "-5");
  EXPECT_EQ(Words("0180"), "0") << "negative zero";
  EXPECT_EQ(Words("02ff00"), "255");
  EXPECT_EQ(Words("04ffffff7f"), "2147483647");
  EXPECT_EQ(Words("04ffffffff"), "-2147483647");
  EXPECT_EQ(Words("050102030405"), "0102030405") << "five bytes are no number";
}

TEST(DisassembleTest, EveryPushOpcode) {
  EXPECT_EQ(Words("4c050102030405"), "0102030405");
  EXPECT_EQ(Words("4d05000102030405"), "0102030405");
  EXPECT_EQ(Words("4e050000000102030405"), "0102030405");
  EXPECT_EQ(Words("4c00"), "0");
}

TEST(DisassembleTest, BrokenPushes) {
  for (const char* hex : {"02ff", "4c", "4c02ff", "4d05", "4e050000", "4effffffff00"})
    EXPECT_EQ(Words(hex), "[error]") << hex;
  EXPECT_EQ(Words("7605ff"), "OP_DUP [error]");
}

}  // namespace
}  // namespace headrace
