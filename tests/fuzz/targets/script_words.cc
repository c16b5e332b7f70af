// Everything that reads a script without running it: the iterator, minimal pushes, push-only, counts of signature
// operations, templates, witness programs, words. Twins split scripts by copying.
#include "engine/script/disassemble.h"
#include "engine/script/script_builder.h"
#include "engine/script/script_iterator.h"
#include "engine/script/script_number.h"
#include "engine/script/sigops.h"
#include "engine/script/standard.h"
#include "engine/script/witness_program.h"
#include "tests/engine/script/random_spend.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"
#include "tests/reference/plain_sigops.h"

namespace headrace::fuzz {
namespace {

void CheckOperations(ByteSpan script, const Bytes& copy) {
  const auto [operations, is_well_formed] = testing::PlainOperations(copy);
  ScriptIterator iterator(script);
  bool pushes_only = is_well_formed;
  for (const testing::PlainOperation& operation : operations) {
    HR_CHECK(iterator.Next());
    HR_CHECK(static_cast<uint8_t>(iterator.opcode()) == operation.opcode && IsSame(iterator.data(), operation.data));
    HR_CHECK(iterator.position() <= script.size());
    pushes_only = pushes_only && operation.opcode <= 0x60;
    if (operation.opcode > 0x4e) continue;
    // The builder writes the shortest push by length; numbers with opcodes of their own go another way.
    const Bytes& data = operation.data;
    const bool is_number = (data.size() == 1 && ((data[0] >= 1 && data[0] <= 16) || data[0] == 0x81)) || data.empty();
    const uint8_t shortest = data.empty() ? 0 : is_number ? 0xff : ScriptBuilder().Data(data).Take()[0];
    HR_CHECK(IsMinimalPush(iterator.opcode(), data) == (operation.opcode == shortest));
  }
  HR_CHECK(!iterator.Next() && iterator.malformed() == !is_well_formed && iterator.at_end());
  HR_CHECK(IsPushOnly(script) == pushes_only);
  for (const bool is_accurate : {false, true}) {
    HR_CHECK(CountScriptSigops(script, is_accurate) == testing::PlainScriptSigops(copy, is_accurate));
  }
}

// Keys may be pushed by longer opcodes than they need, the two numbers may not.
void CheckMultisig(ByteSpan script, const OutputTemplate& output) {
  const auto operations = testing::PlainOperations(Bytes(script.begin(), script.end())).first;
  const size_t keys = output.keys.size();
  HR_CHECK(output.required >= 1 && static_cast<size_t>(output.required) <= keys && keys <= 20);
  HR_CHECK(operations.size() == keys + 3 && operations.back().opcode == 0xae);
  for (size_t i = 0; i < keys; ++i) HR_CHECK(IsSame(output.keys[i], operations[i + 1].data));
  const Bytes begin = ScriptBuilder().Number(output.required).Take();
  const Bytes end = ScriptBuilder().Number(static_cast<int64_t>(keys)).Op(Opcode::kCheckMultisig).Take();
  HR_CHECK(IsSame(script.first(begin.size()), begin) && IsSame(script.last(end.size()), end));
}

// The script that the template's parts make is the script.
void CheckTemplate(ByteSpan script) {
  const OutputTemplate output = MatchOutput(script);
  HR_CHECK(ClassifyOutput(script) == output.kind && !OutputKindName(output.kind).empty());
  ScriptBuilder rebuilt;
  switch (output.kind) {
    case OutputKind::kPubkey:
      rebuilt.Data(output.payload).Op(Opcode::kCheckSig);
      break;
    case OutputKind::kPubkeyHash:
      rebuilt.Op(Opcode::kDup).Op(Opcode::kHash160).Data(output.payload).Op(Opcode::kEqualVerify).Op(Opcode::kCheckSig);
      break;
    case OutputKind::kScriptHash:
      rebuilt.Op(Opcode::kHash160).Data(output.payload).Op(Opcode::kEqual);
      break;
    case OutputKind::kMultisig:
      return CheckMultisig(script, output);
    case OutputKind::kAnchor:
    case OutputKind::kWitnessV0KeyHash:
    case OutputKind::kWitnessV0ScriptHash:
    case OutputKind::kWitnessV1Taproot:
    case OutputKind::kWitnessUnknown: {
      const auto program = ParseWitnessProgram(script);
      HR_CHECK(program && program->version == output.witness_version && IsSame(program->program, output.payload));
      rebuilt.Number(output.witness_version).Data(output.payload);
      break;
    }
    default:
      return;
  }
  HR_CHECK(IsSame(rebuilt.script(), script));
}

void CheckNumber(ByteSpan bytes) {
  for (const size_t size_max : {kScriptNumberBytes, kLockTimeNumberBytes, size_t{8}}) {
    int64_t number;
    if (!DecodeScriptNumber(bytes, false, size_max, number)) {
      HR_CHECK(bytes.size() > size_max);
      continue;
    }
    const EncodedScriptNumber encoded(number);
    int64_t minimal;
    const bool is_minimal = DecodeScriptNumber(bytes, true, size_max, minimal);
    HR_CHECK(is_minimal == IsSame(encoded.span(), bytes));
    HR_CHECK(CastToBool(bytes) == (number != 0));
    HR_CHECK(encoded.span().size() <= bytes.size());
  }
}

void Run(ByteSpan input) {
  CheckOperations(input, Bytes(input.begin(), input.end()));
  CheckTemplate(input);
  CheckNumber(input.first(std::min<size_t>(input.size(), 9)));
  const std::string words = DisassembleScript(input);
  // A push of up to four bytes is a number of at most eleven characters, others two a byte; names have 25 at most.
  HR_CHECK(words.size() <= 32 * input.size() + 8);
}

std::vector<Bytes> Corpus() {
  testing::Random random(3);
  std::vector<Bytes> corpus;
  for (int i = 0; i < 20; ++i) corpus.push_back(testing::RandomScript(random, 20));
  for (int i = 0; i < 20; ++i) corpus.push_back(testing::RandomOutputScript(random));
  const Bytes key = testing::RandomBytes(random, 33);
  corpus.push_back(ScriptBuilder().Data(key).Op(Opcode::kCheckSig).Take());
  corpus.push_back(ScriptBuilder().Number(1).Data(key).Data(key).Number(2).Op(Opcode::kCheckMultisig).Take());
  corpus.push_back({0x51, 0x02, 0x4e, 0x73});
  corpus.push_back(ScriptBuilder()
                       .Op(Opcode::kDup)
                       .Op(Opcode::kHash160)
                       .Data(testing::RandomBytes(random, 20))
                       .Op(Opcode::kEqualVerify)
                       .Op(Opcode::kCheckSig)
                       .Take());
  corpus.push_back({0x4e, 0xff, 0xff, 0xff, 0xff, 0});
  corpus.push_back(ScriptBuilder().Data(testing::RandomBytes(random, 300)).Op(Opcode::kReturn).Take());
  for (Bytes& script : corpus) {
    if (script.size() > 40) continue;
    // Keys are only looked at when their first byte suits their size.
    if (script.size() > 33 && script[0] == 33) script[1] = 2;
  }
  return corpus;
}

FUZZ_TARGET(script_words, 30'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
