#include "tests/engine/script/spend_fixture.h"

#include <algorithm>
#include <stdexcept>

#include "engine/base/hex.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace::testing {

SpendFixture::SpendFixture(Bytes raw, std::vector<TransactionOutput> spent) : raw_(std::move(raw)), spent_(std::move(spent)) {
  const DecodeError error = DecodeTransaction(raw_, WitnessEncoding::kAllowed, columns_);
  if (error != DecodeError::kNone) throw std::runtime_error(std::string(DecodeErrorText(error)));
  for (const TransactionOutput& output : spent_) coins_.push_back({output.amount, 0, false, output.script});
  PrepareMidstates(transaction(), coins_, midstates_);
}

Bytes FromHex(const std::string& hex) {
  const auto bytes = HexDecode(hex);
  if (!bytes) throw std::runtime_error("no hex: " + hex);
  return *bytes;
}

}  // namespace headrace::testing
