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

void Run(ByteSpan bytes) {
  FuzzInput in(bytes);
  const ScriptFlags flags = testing::TrimFlags(testing::AllFlags() & in.U32());
  const ScriptFlags fewer = testing::TrimFlags(flags & in.U32());
  const SpendStory story = ReadSpendStory(in);
  const testing::SpendFixture fixture(story.transaction.Serialize(), story.spent);
  const testing::SpendFixture again(story.transaction.Serialize(), story.spent);
  for (uint32_t input = 0; input < story.transaction.inputs.size(); ++input) {
    const ScriptError error = fixture.Verify(input, flags);
    HR_CHECK(!ScriptErrorName(error).empty() && !ScriptErrorSentence(error).empty());
    HR_CHECK(again.Verify(input, flags) == error);
    if (error == ScriptError::kOk) HR_CHECK(fixture.Verify(input, fewer) == ScriptError::kOk);
  }
}

std::vector<Bytes> Corpus() { return SpendStories(); }

FUZZ_TARGET(script_verify, 6'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
