// Signature hashes, legacy, BIP143 and BIP341/342, against the twins that put the message together and hash it whole.
#include "engine/script/signature_hash.h"
#include "engine/script/taproot.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/spend_story.h"
#include "tests/reference/plain_sighash.h"
#include "tests/reference/plain_witness_sighash.h"

namespace headrace::fuzz {
namespace {

using testing::PlainLeaf;

constexpr uint8_t kDefinedTypes[] = {0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83};

void CheckTaproot(const testing::SpendFixture& fixture, const SpendStory& story, uint32_t input, uint8_t hash_type,
                  const Bytes& script_code, FuzzInput& in) {
  std::optional<Bytes> annex;
  std::optional<PlainLeaf> leaf;
  TaprootSignatureScope scope;
  if (in.Flag()) {
    const ByteSpan rest = in.Counted();
    annex.emplace(1, kAnnexTag).insert(annex->end(), rest.begin(), rest.end());
    scope.annex_hash = AnnexHash(*annex);
  }
  if (in.Flag()) {
    leaf = PlainLeaf{static_cast<uint8_t>(in.U8() & kTaprootLeafMask), script_code, in.U32()};
    scope.is_tapscript = true;
    scope.leaf_hash = TapLeafHash(leaf->version, leaf->script);
    scope.code_separator_position = leaf->code_separator_position;
  }
  HR_CHECK(TaprootSignatureHash(fixture.transaction(), input, fixture.coins(), hash_type, scope, fixture.midstates()) ==
           testing::PlainTaprootSignatureHash(story.transaction, input, story.spent, hash_type, annex, leaf));
}

void Run(ByteSpan bytes) {
  FuzzInput in(bytes);
  const uint32_t any_type = in.U32();
  const uint32_t hash_type = in.Flag() ? any_type : kDefinedTypes[any_type % std::size(kDefinedTypes)];
  SpendStory story = ReadSpendStory(in);
  const auto input = static_cast<uint32_t>(in.Below(story.transaction.inputs.size()));
  // Midstates are made where there is a witness, and taproot's where a taproot output is spent.
  story.transaction.inputs[input].witness.push_back({1});
  story.spent[0].script.assign(34, 0x20);
  story.spent[0].script[0] = 0x51;
  const Bytes& script_code = story.spent[input].script;
  const testing::SpendFixture fixture(story.transaction.Serialize(), story.spent);
  HR_CHECK(LegacySignatureHash(fixture.transaction(), input, script_code, hash_type) ==
           testing::PlainLegacySignatureHash(story.transaction, input, script_code, hash_type));
  const Amount amount = static_cast<Amount>(in.U64());
  HR_CHECK(WitnessV0SignatureHash(fixture.transaction(), input, script_code, amount, hash_type, fixture.midstates()) ==
           testing::PlainWitnessV0SignatureHash(story.transaction, input, script_code, amount, hash_type));
  CheckTaproot(fixture, story, input, static_cast<uint8_t>(hash_type), script_code, in);
}

std::vector<Bytes> Corpus() { return SpendStories(); }

FUZZ_TARGET(signature_hash, 8'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
