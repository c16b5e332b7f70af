// Rules of scripts that are easily taken for one another, without outside data: what consensus asks for and policy does
// not, what is judged although it is not run, what a signature covers.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/crypto/signing.h"
#include "engine/crypto/small_hashes.h"
#include "engine/script/signature_encoding.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/made_spend.h"

namespace headrace {
namespace {

using testing::kConsensusFlags;
using testing::MadeSpend;
using testing::SpendOfKey;
using testing::SpendOfLeaf;
using testing::SpendOfScript;
using testing::SpendOfWitnessScript;
using testing::TestKey;
using testing::TestSignature;

std::string_view Name(ScriptError error) { return ScriptErrorName(error); }

Bytes Push(ByteSpan data) { return ScriptBuilder().Data(data).Take(); }

TEST(ScriptRules, SomeOpcodesFailWithoutBeingRun) {
  const auto verify = [](Opcode opcode) {
    return SpendOfScript(ScriptBuilder().Number(0).Op(Opcode::kIf).Op(opcode).Op(Opcode::kEndIf).Number(1).Take())
        .Verify();
  };
  EXPECT_EQ(Name(verify(Opcode::kVerIf)), "BAD_OPCODE");
  EXPECT_EQ(Name(verify(Opcode::kVerNotIf)), "BAD_OPCODE");
  EXPECT_EQ(Name(verify(Opcode::kCat)), "DISABLED_OPCODE");
  EXPECT_EQ(Name(verify(Opcode::kVer)), "OK");
  EXPECT_EQ(Name(verify(Opcode::kReturn)), "OK");
  EXPECT_EQ(Name(verify(Opcode::kInvalid)), "OK");
}

TEST(ScriptRules, ConditionalsEndInTheirScript) {
  const auto verify = [](ScriptBuilder script) { return SpendOfScript(script.Take()).Verify(); };
  EXPECT_EQ(Name(verify(ScriptBuilder().Number(1).Number(1).Op(Opcode::kIf))), "UNBALANCED_CONDITIONAL");
  EXPECT_EQ(Name(verify(ScriptBuilder().Number(1).Op(Opcode::kEndIf))), "UNBALANCED_CONDITIONAL");
  EXPECT_EQ(Name(verify(ScriptBuilder().Number(1).Op(Opcode::kElse))), "UNBALANCED_CONDITIONAL");
  EXPECT_EQ(Name(verify(ScriptBuilder().Number(1).Number(1).Op(Opcode::kIf).Op(Opcode::kEndIf))), "OK");
  // Not begun in the scriptSig and ended in the output.
  MadeSpend across = SpendOfScript(ScriptBuilder().Op(Opcode::kEndIf).Number(1).Take());
  across.script_sig = ScriptBuilder().Number(1).Op(Opcode::kIf).Take();
  EXPECT_EQ(Name(across.Verify()), "UNBALANCED_CONDITIONAL");
}

TEST(ScriptRules, ConditionsAreMinimalInTapscriptAlone) {
  const Bytes script = ScriptBuilder().Op(Opcode::kIf).Number(1).Op(Opcode::kElse).Number(1).Op(Opcode::kEndIf).Take();
  EXPECT_EQ(Name(SpendOfWitnessScript(script, {{2}}).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfWitnessScript(script, {{2}}).Verify(kConsensusFlags | kVerifyMinimalIf)), "MINIMALIF");
  EXPECT_EQ(Name(SpendOfLeaf(script, {{2}}).Verify()), "TAPSCRIPT_MINIMALIF");
  EXPECT_EQ(Name(SpendOfLeaf(script, {{1}}).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfLeaf(script, {{}}).Verify()), "OK");
}

TEST(ScriptRules, WithinLeavesItsUpperLimitOut) {
  const auto verify = [](int value) {
    return SpendOfScript(ScriptBuilder().Number(value).Number(2).Number(5).Op(Opcode::kWithin).Take()).Verify();
  };
  EXPECT_EQ(Name(verify(1)), "EVAL_FALSE");
  EXPECT_EQ(Name(verify(2)), "OK");
  EXPECT_EQ(Name(verify(4)), "OK");
  EXPECT_EQ(Name(verify(5)), "EVAL_FALSE");
}

TEST(ScriptRules, LockTimesOfTwoKindsDoNotCompare) {
  MadeSpend spend = SpendOfScript(ScriptBuilder().Number(100).Op(Opcode::kCheckLockTimeVerify).Take());
  spend.lock_time = 499'999'999;
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.lock_time = 500'000'000;
  EXPECT_EQ(Name(spend.Verify()), "UNSATISFIED_LOCKTIME");
  spend.script_pubkey = ScriptBuilder().Number(500'000'000).Op(Opcode::kCheckLockTimeVerify).Take();
  EXPECT_EQ(Name(spend.Verify()), "OK");
}

TEST(ScriptRules, ASignatureThatDoesNotHoldMayStayUnderConsensus) {
  const Bytes wrong = TestSignature(Digest256{7});
  MadeSpend single = SpendOfScript(ScriptBuilder().Data(TestKey()).Op(Opcode::kCheckSig).Op(Opcode::kNot).Take());
  single.script_sig = Push(wrong);
  EXPECT_EQ(Name(single.Verify()), "OK");
  EXPECT_EQ(Name(single.Verify(kConsensusFlags | kVerifyNullFail)), "NULLFAIL");
  MadeSpend multiple = SpendOfScript(
      ScriptBuilder().Number(1).Data(TestKey()).Number(1).Op(Opcode::kCheckMultisig).Op(Opcode::kNot).Take());
  multiple.script_sig = ScriptBuilder().Number(0).Data(wrong).Take();
  EXPECT_EQ(Name(multiple.Verify()), "OK");
  EXPECT_EQ(Name(multiple.Verify(kConsensusFlags | kVerifyNullFail)), "NULLFAIL");
}

// What can no longer succeed is not tried, and its encoding not looked at.
TEST(ScriptRules, MultisigLooksAtEncodingsOnlyOfWhatItTries) {
  MadeSpend spend = SpendOfScript(ScriptBuilder()
                                      .Number(2)
                                      .Data(TestKey())
                                      .Data(TestKey())
                                      .Number(2)
                                      .Op(Opcode::kCheckMultisig)
                                      .Op(Opcode::kNot)
                                      .Take());
  const Bytes wrong = TestSignature(Digest256{7});
  const Bytes no_der{1, 2, 3};
  // Signatures are tried from the last one on: when that one fits no first key, both would be needed for the second.
  spend.script_sig = ScriptBuilder().Number(0).Data(no_der).Data(wrong).Take();
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.script_sig = ScriptBuilder().Number(0).Data(wrong).Data(no_der).Take();
  EXPECT_EQ(Name(spend.Verify()), "SIG_DER");
  // Nor does a signature help that fits the other key: the first one is gone by then.
  const Bytes other_key = PublicKeyOf(SecretKey{4, 5, 6}, true);
  spend.script_pubkey = ScriptBuilder()
                            .Number(2)
                            .Data(TestKey())
                            .Data(other_key)
                            .Number(2)
                            .Op(Opcode::kCheckMultisig)
                            .Op(Opcode::kNot)
                            .Take();
  const Bytes fits_the_first = TestSignature(spend.LegacyDigest(spend.script_pubkey));
  spend.script_sig = ScriptBuilder().Number(0).Data(no_der).Data(fits_the_first).Take();
  EXPECT_EQ(Name(spend.Verify()), "OK");
}

TEST(ScriptRules, ASignatureInItsOwnScriptIsNotSigned) {
  const Bytes signed_code = ScriptBuilder().Op(Opcode::kDrop).Data(TestKey()).Op(Opcode::kCheckSig).Take();
  const Bytes signature = TestSignature(SpendOfScript({}).LegacyDigest(signed_code));
  MadeSpend spend = SpendOfScript(ScriptBuilder().Data(signature).Raw(signed_code).Take());
  spend.script_sig = Push(signature);
  EXPECT_EQ(Name(spend.Verify()), "OK");
  EXPECT_EQ(Name(spend.Verify(kConsensusFlags | kVerifyConstScriptCode)), "SIG_FINDANDDELETE");
}

// The script code of a signature begins behind the last separator that was run.
TEST(ScriptRules, EverySignatureSignsItsOwnScriptCode) {
  const Bytes second_code = ScriptBuilder().Data(TestKey()).Op(Opcode::kCheckSig).Take();
  const Bytes whole =
      ScriptBuilder().Data(TestKey()).Op(Opcode::kCheckSigVerify).Op(Opcode::kCodeSeparator).Raw(second_code).Take();
  MadeSpend spend = SpendOfScript(whole);
  const Bytes first = TestSignature(spend.LegacyDigest(whole));
  const Bytes second = TestSignature(spend.LegacyDigest(second_code));
  spend.script_sig = ScriptBuilder().Data(second).Data(first).Take();
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.script_sig = ScriptBuilder().Data(first).Data(first).Take();
  EXPECT_EQ(Name(spend.Verify()), "EVAL_FALSE");
}

TEST(ScriptRules, EncodingsOfSignatures) {
  const Bytes good = TestSignature(Digest256{7});
  EXPECT_EQ(CheckSignatureEncoding(good, kVerifyDerSignatures | kVerifyLowS | kVerifyStrictEncoding), ScriptError::kOk);
  EXPECT_EQ(CheckSignatureEncoding({}, kVerifyDerSignatures), ScriptError::kOk);
  Bytes negative = good;
  const size_t s_at = 4 + size_t{good[3]} + 2;
  negative[s_at] |= 0x80;
  for (const ScriptFlags flag : {kVerifyDerSignatures, kVerifyLowS, kVerifyStrictEncoding}) {
    EXPECT_EQ(CheckSignatureEncoding(negative, flag), ScriptError::kSigDer) << flag;
  }
  EXPECT_EQ(CheckSignatureEncoding(negative, kVerifyNone), ScriptError::kOk);
  // Half of the group's order begins with 0x7f, 15 times 0xff and 0x5d.
  Bytes high = good;
  high[s_at] = 0x7f;
  std::fill_n(high.begin() + static_cast<ptrdiff_t>(s_at) + 1, 16, uint8_t{0xff});
  ASSERT_EQ(good[s_at - 1], 32) << "S of this digest has 32 bytes";
  EXPECT_EQ(CheckSignatureEncoding(high, kVerifyDerSignatures), ScriptError::kOk);
  EXPECT_EQ(CheckSignatureEncoding(high, kVerifyLowS), ScriptError::kSigHighS);
  EXPECT_EQ(CheckSignatureEncoding(high, kVerifyLowS | kVerifyStrictEncoding), ScriptError::kSigHighS);
  Bytes undefined = good;
  undefined.back() = 4;
  EXPECT_EQ(CheckSignatureEncoding(undefined, kVerifyDerSignatures), ScriptError::kOk);
  EXPECT_EQ(CheckSignatureEncoding(undefined, kVerifyStrictEncoding), ScriptError::kSigHashType);
}

Bytes KeySignature(const MadeSpend& spend, const TaprootSignatureScope& scope) {
  const auto signature = SignSchnorr(SecretKey{1, 2, 3}, spend.TaprootDigest(scope));
  return Bytes(signature.begin(), signature.end());
}

TEST(ScriptRules, TheAnnexIsSignedAndAloneIsNone) {
  MadeSpend spend = SpendOfKey();
  const Bytes annex{kAnnexTag, 1, 2, 3};
  TaprootSignatureScope scope;
  const Bytes without = KeySignature(spend, scope);
  scope.annex_hash = AnnexHash(annex);
  const Bytes with = KeySignature(spend, scope);
  spend.witness = {without};
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.witness = {with, annex};
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.witness = {with, {kAnnexTag, 1, 2, 4}};
  EXPECT_EQ(Name(spend.Verify()), "SCHNORR_SIG");
  spend.witness = {without, annex};
  EXPECT_EQ(Name(spend.Verify()), "SCHNORR_SIG");
  // A single item is the signature, whatever it begins with.
  Bytes like_an_annex(64, 1);
  like_an_annex[0] = kAnnexTag;
  spend.witness = {like_an_annex};
  EXPECT_EQ(Name(spend.Verify()), "SCHNORR_SIG");
}

TEST(ScriptRules, AWrappedVersionOneProgramIsLeftToTheFuture) {
  const Bytes program = SpendOfKey().script_pubkey;
  MadeSpend spend =
      SpendOfScript(ScriptBuilder().Op(Opcode::kHash160).Data(Hash160(program)).Op(Opcode::kEqual).Take());
  spend.script_sig = Push(program);
  spend.witness = {{1}};
  EXPECT_EQ(Name(spend.Verify()), "OK");
  spend.script_pubkey = program;
  spend.script_sig = {};
  EXPECT_EQ(Name(spend.Verify()), "SCHNORR_SIG_SIZE");
}

TEST(ScriptRules, AnOpSuccessCountsUpToAMalformedPush) {
  const Bytes malformed{0x05, 1};
  EXPECT_EQ(Name(SpendOfLeaf(malformed).Verify()), "BAD_OPCODE");
  Bytes success_first{0xbb};
  success_first.insert(success_first.end(), malformed.begin(), malformed.end());
  EXPECT_EQ(Name(SpendOfLeaf(success_first).Verify()), "OK");
  Bytes success_inside = ScriptBuilder().Data(Bytes{0xbb, 0xbb}).Raw(malformed).Take();
  EXPECT_EQ(Name(SpendOfLeaf(success_inside).Verify()), "BAD_OPCODE");
}

}  // namespace
}  // namespace headrace
