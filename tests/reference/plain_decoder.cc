#include "tests/reference/plain_decoder.h"

#include <algorithm>
#include <stdexcept>

namespace headrace::reference {
namespace {

// Takes bytes from the front and throws at any fault.
class Source {
 public:
  explicit Source(ByteSpan raw) : left_(raw.begin(), raw.end()) {}

  bool empty() const { return at_ == left_.size(); }

  Bytes Take(uint64_t size) {
    if (size > left_.size() - at_) throw std::runtime_error("truncated");
    Bytes taken(left_.begin() + at_, left_.begin() + at_ + size);
    at_ += size;
    return taken;
  }

  uint64_t Number(int size) {
    const Bytes bytes = Take(size);
    uint64_t number = 0;
    for (int i = size - 1; i >= 0; --i) number = number * 256 + bytes[i];
    return number;
  }

  uint64_t Count() {
    const uint64_t first = Number(1);
    uint64_t count = first;
    uint64_t least = 0;
    if (first == 253) count = Number(2), least = 253;
    if (first == 254) count = Number(4), least = 65536;
    if (first == 255) count = Number(8), least = 4294967296;
    if (count < least) throw std::runtime_error("not the shortest form");
    if (count > 33554432) throw std::runtime_error("too large");
    return count;
  }

  Bytes Counted() { return Take(Count()); }

 private:
  Bytes left_;
  size_t at_ = 0;
};

void PutNumber(Bytes& out, uint64_t number, int size) {
  for (int i = 0; i < size; ++i, number /= 256) out.push_back(static_cast<uint8_t>(number % 256));
}

void PutCount(Bytes& out, uint64_t count) {
  if (count < 253) {
    PutNumber(out, count, 1);
  } else if (count < 65536) {
    PutNumber(out, 253, 1);
    PutNumber(out, count, 2);
  } else {
    PutNumber(out, 254, 1);
    PutNumber(out, count, 4);
  }
}

void Put(Bytes& out, const Bytes& bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void PutCounted(Bytes& out, const Bytes& bytes) {
  PutCount(out, bytes.size());
  Put(out, bytes);
}

PlainInput TakeInput(Source& source) {
  PlainInput input;
  const Bytes txid = source.Take(32);
  std::copy(txid.begin(), txid.end(), input.previous_txid.begin());
  input.previous_index = static_cast<uint32_t>(source.Number(4));
  input.script_sig = source.Counted();
  input.sequence = static_cast<uint32_t>(source.Number(4));
  return input;
}

PlainOutput TakeOutput(Source& source) {
  PlainOutput output;
  output.amount = static_cast<int64_t>(source.Number(8));
  output.script = source.Counted();
  return output;
}

PlainTransaction TakeTransaction(Source& source, bool allow_witness) {
  PlainTransaction transaction;
  transaction.version = static_cast<int32_t>(source.Number(4));
  uint64_t input_count = source.Count();
  uint64_t flags = 0;
  bool is_empty = false;
  if (input_count == 0 && allow_witness) {
    flags = source.Number(1);
    is_empty = flags == 0;
    if (!is_empty) input_count = source.Count();
  }
  for (uint64_t i = 0; i < input_count; ++i) transaction.inputs.push_back(TakeInput(source));
  if (!is_empty) {
    const uint64_t output_count = source.Count();
    for (uint64_t i = 0; i < output_count; ++i) transaction.outputs.push_back(TakeOutput(source));
  }
  if (flags % 2 == 1) {
    for (PlainInput& input : transaction.inputs) {
      const uint64_t items = source.Count();
      for (uint64_t i = 0; i < items; ++i) input.witness.push_back(source.Counted());
    }
    if (!transaction.HasWitness()) throw std::runtime_error("superfluous witness");
  }
  if (flags > 1) throw std::runtime_error("unknown flags");
  transaction.lock_time = static_cast<uint32_t>(source.Number(4));
  return transaction;
}

}  // namespace

bool PlainTransaction::HasWitness() const {
  return std::any_of(inputs.begin(), inputs.end(), [](const PlainInput& input) { return !input.witness.empty(); });
}

std::vector<uint8_t> PlainTransaction::Serialize(bool with_witness) const {
  const bool writes_witness = with_witness && HasWitness();
  Bytes out;
  PutNumber(out, static_cast<uint32_t>(version), 4);
  if (writes_witness) Put(out, {0, 1});
  PutCount(out, inputs.size());
  for (const PlainInput& input : inputs) {
    out.insert(out.end(), input.previous_txid.begin(), input.previous_txid.end());
    PutNumber(out, input.previous_index, 4);
    PutCounted(out, input.script_sig);
    PutNumber(out, input.sequence, 4);
  }
  PutCount(out, outputs.size());
  for (const PlainOutput& output : outputs) {
    PutNumber(out, static_cast<uint64_t>(output.amount), 8);
    PutCounted(out, output.script);
  }
  if (writes_witness) {
    for (const PlainInput& input : inputs) {
      PutCount(out, input.witness.size());
      for (const Bytes& item : input.witness) PutCounted(out, item);
    }
  }
  PutNumber(out, lock_time, 4);
  return out;
}

Digest256 PlainTransaction::Txid() const { return Sha256(Sha256(Serialize(false))); }

Digest256 PlainTransaction::Wtxid() const { return Sha256(Sha256(Serialize(true))); }

std::vector<uint8_t> PlainBlock::Serialize(bool with_witness) const {
  Bytes out = header;
  PutCount(out, transactions.size());
  for (const PlainTransaction& transaction : transactions) Put(out, transaction.Serialize(with_witness));
  return out;
}

Digest256 PlainBlock::MerkleRoot() const {
  std::vector<Digest256> level;
  for (const PlainTransaction& transaction : transactions) level.push_back(transaction.Txid());
  if (level.empty()) return {};
  while (level.size() > 1) {
    if (level.size() % 2 == 1) level.push_back(level.back());
    std::vector<Digest256> above;
    for (size_t i = 0; i < level.size(); i += 2) {
      Bytes pair(level[i].begin(), level[i].end());
      pair.insert(pair.end(), level[i + 1].begin(), level[i + 1].end());
      above.push_back(Sha256(Sha256(pair)));
    }
    level = above;
  }
  return level[0];
}

std::optional<PlainTransaction> DecodePlainTransaction(ByteSpan raw, bool allow_witness) {
  try {
    Source source(raw);
    PlainTransaction transaction = TakeTransaction(source, allow_witness);
    if (!source.empty()) return std::nullopt;
    return transaction;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

std::optional<PlainBlock> DecodePlainBlock(ByteSpan raw) {
  try {
    Source source(raw);
    PlainBlock block;
    block.header = source.Take(80);
    const uint64_t count = source.Count();
    for (uint64_t i = 0; i < count; ++i) block.transactions.push_back(TakeTransaction(source, true));
    if (!source.empty()) return std::nullopt;
    return block;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace headrace::reference
