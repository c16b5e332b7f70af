// The cost of signature operations over whole spends against the texts of BIP16 and BIP141.
#include "engine/script/script_builder.h"
#include "engine/script/sigops.h"
#include "tests/engine/script/random_spend.h"
#include "tests/engine/script/script_assembler.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/spend_story.h"
#include "tests/reference/plain_sigops.h"

namespace headrace::fuzz {
namespace {

void Run(ByteSpan input) {
  FuzzInput in(input);
  const ScriptFlags flags = testing::FillFlags(in.U32() & testing::AllFlags());
  const SpendStory story = ReadSpendStory(in);
  const testing::SpendFixture fixture(story.transaction.Serialize(), story.spent);
  HR_CHECK(SigopCost(fixture.transaction(), fixture.coins(), flags) ==
           testing::PlainSigopCost(story.transaction, story.spent, flags));
}

std::vector<Bytes> Corpus() { return SpendStories(); }

FUZZ_TARGET(sigop_cost, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
