#include "tests/engine/primitives/random_transactions.h"

#include <algorithm>

namespace headrace::testing {
namespace {

std::vector<uint8_t> RandomBytes(Random& random, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

// Mostly short; now and then around the sizes where the encoding of a count changes.
size_t RandomSize(Random& random) {
  switch (random() % 40) {
    case 0: return 250 + random() % 8;
    case 1: return 65'530 + random() % 12;
    default: return random() % 40;
  }
}

}  // namespace

reference::PlainTransaction RandomPlainTransaction(Random& random) {
  reference::PlainTransaction transaction;
  transaction.version = static_cast<int32_t>(random());
  transaction.lock_time = static_cast<uint32_t>(random());
  transaction.inputs.resize(random() % 30 == 0 ? 253 : random() % 4 + (random() % 20 != 0 ? 1 : 0));
  const bool has_witness = random() % 2 == 0;
  for (reference::PlainInput& input : transaction.inputs) {
    for (uint8_t& byte : input.previous_txid) byte = static_cast<uint8_t>(random());
    input.previous_index = static_cast<uint32_t>(random());
    input.sequence = static_cast<uint32_t>(random());
    input.script_sig = RandomBytes(random, RandomSize(random));
    if (!has_witness) continue;
    input.witness.resize(random() % 4);
    for (auto& item : input.witness) item = RandomBytes(random, RandomSize(random));
  }
  // Without inputs, outputs cannot be told from BIP144's marker and flag.
  if (transaction.inputs.empty()) return transaction;
  transaction.outputs.resize(random() % 5);
  for (reference::PlainOutput& output : transaction.outputs) {
    output.amount = static_cast<int64_t>(random());
    output.script = RandomBytes(random, RandomSize(random));
  }
  return transaction;
}

reference::PlainBlock RandomBlock(Random& random) {
  reference::PlainBlock block;
  block.header = RandomBytes(random, 80);
  block.transactions.resize(random() % 6);
  for (auto& transaction : block.transactions) transaction = RandomPlainTransaction(random);
  return block;
}

std::vector<uint8_t> EmptyWitnessEncoding(Random& random) {
  reference::PlainTransaction transaction;
  transaction.inputs.resize(2);
  transaction.inputs[0].script_sig = RandomBytes(random, 20);
  transaction.outputs.push_back({1000, RandomBytes(random, 25)});
  std::vector<uint8_t> bytes = transaction.Serialize(false);
  // Marker and flag behind the version, an empty stack for each input before the lock time.
  bytes.insert(bytes.begin() + 4, {0, 1});
  bytes.insert(bytes.end() - 4, {0, 0});
  return bytes;
}

std::vector<uint8_t> Damage(std::vector<uint8_t> bytes, Random& random) {
  for (uint64_t changes = random() % 3 + 1; changes != 0 && !bytes.empty(); --changes) {
    // Counts and flags stand near the front as often as anywhere.
    const size_t at = random() % (random() % 2 == 0 ? std::min<size_t>(bytes.size(), 100) : bytes.size());
    switch (random() % 6) {
      case 0: bytes.resize(at); break;
      case 1: bytes.insert(bytes.begin() + at, static_cast<uint8_t>(random())); break;
      case 2: bytes.erase(bytes.begin() + at); break;
      case 3: bytes[at] = static_cast<uint8_t>(0xfd + random() % 3); break;
      case 4: bytes[at] = static_cast<uint8_t>(random() % 3); break;
      default: bytes[at] = static_cast<uint8_t>(random()); break;
    }
  }
  return bytes;
}

}  // namespace headrace::testing
