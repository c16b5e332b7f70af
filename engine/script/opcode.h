// The byte codes of the script language and their names in the field.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

// HR_OPCODES(X): X(enumerator, value, name). Direct pushes of 1 to 75 bytes (0x01 to 0x4b) have no name.
#define HR_OPCODES(X)                                                                                       \
  X(k0, 0x00, "0") X(kPushData1, 0x4c, "OP_PUSHDATA1") X(kPushData2, 0x4d, "OP_PUSHDATA2")                  \
  X(kPushData4, 0x4e, "OP_PUSHDATA4") X(k1Negate, 0x4f, "-1") X(kReserved, 0x50, "OP_RESERVED")             \
  X(k1, 0x51, "1") X(k2, 0x52, "2") X(k3, 0x53, "3") X(k4, 0x54, "4") X(k5, 0x55, "5") X(k6, 0x56, "6")     \
  X(k7, 0x57, "7") X(k8, 0x58, "8") X(k9, 0x59, "9") X(k10, 0x5a, "10") X(k11, 0x5b, "11")                  \
  X(k12, 0x5c, "12") X(k13, 0x5d, "13") X(k14, 0x5e, "14") X(k15, 0x5f, "15") X(k16, 0x60, "16")            \
  X(kNop, 0x61, "OP_NOP") X(kVer, 0x62, "OP_VER") X(kIf, 0x63, "OP_IF") X(kNotIf, 0x64, "OP_NOTIF")         \
  X(kVerIf, 0x65, "OP_VERIF") X(kVerNotIf, 0x66, "OP_VERNOTIF") X(kElse, 0x67, "OP_ELSE")                   \
  X(kEndIf, 0x68, "OP_ENDIF") X(kVerify, 0x69, "OP_VERIFY") X(kReturn, 0x6a, "OP_RETURN")                   \
  X(kToAltStack, 0x6b, "OP_TOALTSTACK") X(kFromAltStack, 0x6c, "OP_FROMALTSTACK") X(k2Drop, 0x6d, "OP_2DROP") \
  X(k2Dup, 0x6e, "OP_2DUP") X(k3Dup, 0x6f, "OP_3DUP") X(k2Over, 0x70, "OP_2OVER") X(k2Rot, 0x71, "OP_2ROT") \
  X(k2Swap, 0x72, "OP_2SWAP") X(kIfDup, 0x73, "OP_IFDUP") X(kDepth, 0x74, "OP_DEPTH")                       \
  X(kDrop, 0x75, "OP_DROP") X(kDup, 0x76, "OP_DUP") X(kNip, 0x77, "OP_NIP") X(kOver, 0x78, "OP_OVER")       \
  X(kPick, 0x79, "OP_PICK") X(kRoll, 0x7a, "OP_ROLL") X(kRot, 0x7b, "OP_ROT") X(kSwap, 0x7c, "OP_SWAP")     \
  X(kTuck, 0x7d, "OP_TUCK") X(kCat, 0x7e, "OP_CAT") X(kSubstr, 0x7f, "OP_SUBSTR") X(kLeft, 0x80, "OP_LEFT") \
  X(kRight, 0x81, "OP_RIGHT") X(kSize, 0x82, "OP_SIZE") X(kInvert, 0x83, "OP_INVERT") X(kAnd, 0x84, "OP_AND") \
  X(kOr, 0x85, "OP_OR") X(kXor, 0x86, "OP_XOR") X(kEqual, 0x87, "OP_EQUAL")                                 \
  X(kEqualVerify, 0x88, "OP_EQUALVERIFY") X(kReserved1, 0x89, "OP_RESERVED1")                               \
  X(kReserved2, 0x8a, "OP_RESERVED2") X(k1Add, 0x8b, "OP_1ADD") X(k1Sub, 0x8c, "OP_1SUB")                   \
  X(k2Mul, 0x8d, "OP_2MUL") X(k2Div, 0x8e, "OP_2DIV") X(kNegate, 0x8f, "OP_NEGATE") X(kAbs, 0x90, "OP_ABS") \
  X(kNot, 0x91, "OP_NOT") X(k0NotEqual, 0x92, "OP_0NOTEQUAL") X(kAdd, 0x93, "OP_ADD") X(kSub, 0x94, "OP_SUB") \
  X(kMul, 0x95, "OP_MUL") X(kDiv, 0x96, "OP_DIV") X(kMod, 0x97, "OP_MOD") X(kLShift, 0x98, "OP_LSHIFT")     \
  X(kRShift, 0x99, "OP_RSHIFT") X(kBoolAnd, 0x9a, "OP_BOOLAND") X(kBoolOr, 0x9b, "OP_BOOLOR")               \
  X(kNumEqual, 0x9c, "OP_NUMEQUAL") X(kNumEqualVerify, 0x9d, "OP_NUMEQUALVERIFY")                           \
  X(kNumNotEqual, 0x9e, "OP_NUMNOTEQUAL") X(kLessThan, 0x9f, "OP_LESSTHAN")                                 \
  X(kGreaterThan, 0xa0, "OP_GREATERTHAN") X(kLessThanOrEqual, 0xa1, "OP_LESSTHANOREQUAL")                   \
  X(kGreaterThanOrEqual, 0xa2, "OP_GREATERTHANOREQUAL") X(kMin, 0xa3, "OP_MIN") X(kMax, 0xa4, "OP_MAX")     \
  X(kWithin, 0xa5, "OP_WITHIN") X(kRipemd160, 0xa6, "OP_RIPEMD160") X(kSha1, 0xa7, "OP_SHA1")               \
  X(kSha256, 0xa8, "OP_SHA256") X(kHash160, 0xa9, "OP_HASH160") X(kHash256, 0xaa, "OP_HASH256")             \
  X(kCodeSeparator, 0xab, "OP_CODESEPARATOR") X(kCheckSig, 0xac, "OP_CHECKSIG")                             \
  X(kCheckSigVerify, 0xad, "OP_CHECKSIGVERIFY") X(kCheckMultisig, 0xae, "OP_CHECKMULTISIG")                 \
  X(kCheckMultisigVerify, 0xaf, "OP_CHECKMULTISIGVERIFY") X(kNop1, 0xb0, "OP_NOP1")                         \
  X(kCheckLockTimeVerify, 0xb1, "OP_CHECKLOCKTIMEVERIFY")                                                   \
  X(kCheckSequenceVerify, 0xb2, "OP_CHECKSEQUENCEVERIFY") X(kNop4, 0xb3, "OP_NOP4") X(kNop5, 0xb4, "OP_NOP5") \
  X(kNop6, 0xb5, "OP_NOP6") X(kNop7, 0xb6, "OP_NOP7") X(kNop8, 0xb7, "OP_NOP8") X(kNop9, 0xb8, "OP_NOP9")   \
  X(kNop10, 0xb9, "OP_NOP10") X(kCheckSigAdd, 0xba, "OP_CHECKSIGADD") X(kInvalid, 0xff, "OP_INVALIDOPCODE")

enum class Opcode : uint8_t {
#define X(enumerator, value, name) enumerator = value,
  HR_OPCODES(X)
#undef X
};

// As the field's disassembly spells it; "OP_UNKNOWN" for bytes without a meaning.
std::string_view OpcodeName(Opcode opcode);

// Whether the opcode takes the bytes that follow it as data (an empty push included).
constexpr bool IsPushData(Opcode opcode) { return opcode <= Opcode::kPushData4; }

// OP_1 to OP_16 push their number.
constexpr bool IsSmallNumber(Opcode opcode) { return opcode >= Opcode::k1 && opcode <= Opcode::k16; }
constexpr int SmallNumber(Opcode opcode) { return static_cast<int>(opcode) - (static_cast<int>(Opcode::k1) - 1); }
constexpr Opcode SmallNumberOpcode(int number) {
  return static_cast<Opcode>(static_cast<int>(Opcode::k1) - 1 + number);
}

// A script that contains one of these outside of tapscript MUST fail, even where it is not executed (CVE-2010-5137).
constexpr bool IsDisabled(Opcode opcode) {
  switch (opcode) {
    case Opcode::kCat: case Opcode::kSubstr: case Opcode::kLeft: case Opcode::kRight: case Opcode::kInvert:
    case Opcode::kAnd: case Opcode::kOr: case Opcode::kXor: case Opcode::k2Mul: case Opcode::k2Div: case Opcode::kMul:
    case Opcode::kDiv: case Opcode::kMod: case Opcode::kLShift: case Opcode::kRShift:
      return true;
    default:
      return false;
  }
}

// BIP342: a tapscript that contains one of these succeeds, whatever else it says.
constexpr bool IsOpSuccess(Opcode opcode) {
  const int value = static_cast<int>(opcode);
  return value == 80 || value == 98 || (value >= 126 && value <= 129) || (value >= 131 && value <= 134) ||
         (value >= 137 && value <= 138) || (value >= 141 && value <= 142) || (value >= 149 && value <= 153) ||
         (value >= 187 && value <= 254);
}

}  // namespace headrace
