#include "tests/engine/script/random_spend.h"

#include "engine/script/script_builder.h"

namespace headrace::testing {

Bytes RandomBytes(Random& random, size_t size) {
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

Bytes RandomScript(Random& random, size_t operations_max) {
  ScriptBuilder script;
  for (size_t count = random() % (operations_max + 1); count > 0; --count) {
    switch (random() % 8) {
      case 0:
        script.Data(RandomBytes(random, random() % 80));
        break;
      case 1:
        script.Number(static_cast<int64_t>(random() % 18) - 1);
        break;
      case 2:
        script.Op(Opcode::kCodeSeparator);
        break;
      case 3:
        script.Op(static_cast<Opcode>(0x61 + random() % 10));
        break;
      case 4:
        script.Op(static_cast<Opcode>(0xa6 + random() % 21));
        break;
      case 5:
        script.Data(RandomBytes(random, random() % 3 == 0 ? 33 : 32));
        break;
      default:
        script.Op(static_cast<Opcode>(random()));
    }
  }
  return script.Take();
}

std::vector<Bytes> RandomWitness(Random& random) {
  std::vector<Bytes> witness;
  for (size_t count = random() % 5; count > 0; --count) {
    switch (random() % 4) {
      case 0: witness.push_back(RandomBytes(random, random() % 80)); break;
      case 1: witness.push_back(RandomScript(random, 12)); break;
      case 2: witness.push_back(RandomBytes(random, 33 + 32 * (random() % 3))); break;
      default: witness.push_back(RandomBytes(random, random() % 600));
    }
  }
  return witness;
}

Bytes RandomOutputScript(Random& random) {
  switch (random() % 7) {
    case 0:
      return ScriptBuilder().Op(Opcode::kHash160).Data(RandomBytes(random, 20)).Op(Opcode::kEqual).Take();
    case 1:
      return ScriptBuilder().Number(0).Data(RandomBytes(random, 20)).Take();
    case 2:
      return ScriptBuilder().Number(0).Data(RandomBytes(random, 32)).Take();
    case 3:
      return ScriptBuilder().Number(1).Data(RandomBytes(random, 32)).Take();
    case 4:
      return ScriptBuilder().Number(random() % 17).Data(RandomBytes(random, random() % 45)).Take();
    default:
      return RandomScript(random, 15);
  }
}

MutableTransaction RandomTransaction(Random& random) {
  MutableTransaction transaction;
  transaction.version = static_cast<int32_t>(random() % 4);
  transaction.lock_time = static_cast<uint32_t>(random());
  for (size_t count = 1 + random() % 5; count > 0; --count) {
    transaction.inputs.push_back({{Hash256::Load(RandomBytes(random, 32).data()), static_cast<uint32_t>(random() % 4)},
                                  RandomScript(random, 10), static_cast<uint32_t>(random()), RandomWitness(random)});
  }
  for (size_t count = random() % 5; count > 0; --count) {
    transaction.outputs.push_back({static_cast<Amount>(random() % kMaxMoney), RandomOutputScript(random)});
  }
  return transaction;
}

}  // namespace headrace::testing
