// The verdict on spends under any flags: the same twice, of a transaction read again, and never worse with fewer rules,
// for each rule only forbids. Transactions are decoded, so witnesses are what the wire gives.
#include "engine/script/spend_verifier.h"

#include "tests/engine/script/script_assembler.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/spend_story.h"

namespace headrace::fuzz {
namespace {

// Without any one of the rules, and without any but some.
void RequireWithFewerRules(const testing::SpendFixture& fixture, uint32_t input, ScriptFlags flags, ScriptFlags some) {
  HR_CHECK(fixture.Verify(input, testing::TrimFlags(flags & some)) == ScriptError::kOk);
  for (ScriptFlags left = flags; left != 0; left &= left - 1) {
    const ScriptFlags one = left & ~(left - 1);
    HR_CHECK(fixture.Verify(input, testing::TrimFlags(flags & ~one)) == ScriptError::kOk);
  }
}

void Run(ByteSpan bytes) {
  FuzzInput in(bytes);
  const ScriptFlags flags = testing::TrimFlags(testing::AllFlags() & in.U32());
  const ScriptFlags some = in.U32();
  const SpendStory story = ReadSpendStory(in);
  const testing::SpendFixture fixture(story.transaction.Serialize(), story.spent);
  const testing::SpendFixture again(story.transaction.Serialize(), story.spent);
  for (uint32_t input = 0; input < story.transaction.inputs.size(); ++input) {
    const ScriptError error = fixture.Verify(input, flags);
    HR_CHECK(!ScriptErrorName(error).empty() && !ScriptErrorSentence(error).empty());
    HR_CHECK(again.Verify(input, flags) == error);
    if (error == ScriptError::kOk) RequireWithFewerRules(fixture, input, flags, some);
  }
}

// Signatures are good under the rules of blocks; those of relay beside them refuse most of what is interesting.
constexpr ScriptFlags kBlockFlags = kVerifyP2sh | kVerifyDerSignatures | kVerifyNullDummy | kVerifyCheckLockTimeVerify |
                                    kVerifyCheckSequenceVerify | kVerifyWitness | kVerifyTaproot;

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus = SpendStories();
  const size_t stories = corpus.size();
  for (size_t i = 0; i < stories; ++i) {
    corpus.push_back(corpus[i]);
    StoreLittle<uint32_t>(corpus.back().data(), kBlockFlags);
    corpus.push_back(corpus[i]);
    StoreLittle<uint32_t>(corpus.back().data(), kVerifyP2sh | kVerifyWitness | kVerifyTaproot);
  }
  return corpus;
}

FUZZ_TARGET(script_verify, 4'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
