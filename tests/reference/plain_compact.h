// The messages of compact blocks (BIP152) read in the plainest way: a cursor that moves over a copy and throws at any
// fault, one step a field of the BIP's tables. The naive twin of net/wire/compact_messages.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace::reference {

class PlainCompactReader {
 public:
  // No valid block has more: each weighs 240 at least, all together 4,000,000 at most.
  static constexpr uint64_t kTransactionsMax = 4'000'000 / 240;

  explicit PlainCompactReader(ByteSpan body) : left_(body.begin(), body.end()) {}

  Bytes Take(uint64_t size) {
    if (size > left_.size() - at_) throw std::runtime_error("truncated");
    Bytes taken;
    for (uint64_t i = 0; i < size; ++i) taken.push_back(left_[at_++]);
    return taken;
  }
  uint64_t Number(int size) {
    const Bytes bytes = Take(static_cast<uint64_t>(size));
    uint64_t number = 0;
    for (int i = size - 1; i >= 0; --i) number = number * 256 + bytes[static_cast<size_t>(i)];
    return number;
  }
  uint64_t Count() {
    const uint64_t first = Number(1);
    if (first < 253) return first;
    const uint64_t count = Number(first == 253 ? 2 : first == 254 ? 4 : 8);
    const uint64_t least = first == 253 ? 253 : first == 254 ? 65'536 : 4'294'967'296;
    if (count < least || count > 33'554'432) throw std::runtime_error("not a count");
    return count;
  }
  uint64_t TransactionCount() {
    const uint64_t count = Count();
    if (count > kTransactionsMax) throw std::runtime_error("more than a block has");
    return count;
  }
  // The bytes of one transaction: version, marker and flag where there are any, inputs, outputs, witnesses, lock time.
  Bytes Transaction() {
    const size_t begin = at_;
    Number(4);
    uint64_t inputs = Count();
    uint64_t flag = 0;
    bool has_outputs = true;
    if (inputs == 0) {
      flag = Number(1);
      if (flag == 0) has_outputs = false;
      if (flag != 0) inputs = Count();
    }
    for (uint64_t i = 0; i < inputs; ++i) Take(36), Take(Count()), Take(4);
    const uint64_t outputs = has_outputs ? Count() : 0;
    for (uint64_t i = 0; i < outputs; ++i) Take(8), Take(Count());
    uint64_t items = 0;
    if (flag % 2 == 1) {
      for (uint64_t i = 0; i < inputs; ++i) {
        for (uint64_t left = Count(); left > 0; --left, ++items) Take(Count());
      }
      if (items == 0) throw std::runtime_error("a witness of nothing");
    }
    if (flag > 1) throw std::runtime_error("unknown flags");
    Number(4);
    return {left_.begin() + static_cast<ptrdiff_t>(begin), left_.begin() + static_cast<ptrdiff_t>(at_)};
  }
  void End() const {
    if (at_ != left_.size()) throw std::runtime_error("something follows");
  }

 private:
  Bytes left_;
  size_t at_ = 0;
};

struct PlainCompactBlock {
  Bytes header;
  uint64_t nonce = 0;
  std::vector<uint64_t> short_ids;
  std::vector<std::pair<uint64_t, Bytes>> prefilled;
};

inline std::optional<PlainCompactBlock> DecodePlainCompactBlock(ByteSpan body) {
  try {
    PlainCompactReader reader(body);
    PlainCompactBlock block;
    block.header = reader.Take(80);
    block.nonce = reader.Number(8);
    for (uint64_t left = reader.TransactionCount(); left > 0; --left) block.short_ids.push_back(reader.Number(6));
    const uint64_t prefilled = reader.TransactionCount();
    const uint64_t all = block.short_ids.size() + prefilled;
    if (all == 0 || all > PlainCompactReader::kTransactionsMax) return std::nullopt;
    for (uint64_t i = 0; i < prefilled; ++i) {
      const uint64_t distance = reader.Count();
      const uint64_t index = i == 0 ? distance : block.prefilled.back().first + distance + 1;
      if (index >= all) return std::nullopt;
      block.prefilled.emplace_back(index, reader.Transaction());
    }
    reader.End();
    return block;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

inline std::optional<std::vector<uint64_t>> DecodePlainGetBlockTxn(ByteSpan body) {
  try {
    PlainCompactReader reader(body);
    reader.Take(32);
    std::vector<uint64_t> indexes;
    for (uint64_t left = reader.TransactionCount(); left > 0; --left) {
      const uint64_t distance = reader.Count();
      indexes.push_back(indexes.empty() ? distance : indexes.back() + distance + 1);
      if (indexes.back() >= PlainCompactReader::kTransactionsMax) return std::nullopt;
    }
    reader.End();
    return indexes;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

inline std::optional<std::vector<Bytes>> DecodePlainBlockTxn(ByteSpan body) {
  try {
    PlainCompactReader reader(body);
    reader.Take(32);
    std::vector<Bytes> transactions;
    for (uint64_t left = reader.TransactionCount(); left > 0; --left) transactions.push_back(reader.Transaction());
    reader.End();
    return transactions;
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
}

}  // namespace headrace::reference
