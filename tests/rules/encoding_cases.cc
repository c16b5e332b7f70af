// Bytes that are no block, behind a good header: the good block is the twin, under the same hash.
#include "engine/primitives/byte_writer.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

auto AlteredBytes(std::function<void(Bytes&)> alter) {
  return [=](Branch& branch) {
    Draft good = branch.NextDraft();
    good.transactions.push_back(Spend({branch.TakeCoin()}));
    Draft bad = good;
    bad.alter = alter;
    return Try(branch, std::move(bad), std::move(good));
  };
}

// Where the number of transactions stands.
constexpr size_t kCountAt = BlockHeader::kSerializedBytes;

// The block's second transaction with marker and flag before its inputs, and what follows its outputs in place of
// witnesses.
auto WithMarker(uint8_t flag, Bytes witnesses) {
  return [=](Branch& branch) {
    Draft good = branch.NextDraft();
    good.transactions.push_back(Spend({branch.TakeCoin()}));
    Draft bad = good;
    const size_t size = good.transactions[1].Serialize().size();
    bad.alter = [=](Bytes& raw) {
      const size_t begin = raw.size() - size;
      raw.insert(raw.end() - 4, witnesses.begin(), witnesses.end());
      const Bytes marker = {0, flag};
      raw.insert(raw.begin() + static_cast<ptrdiff_t>(begin) + 4, marker.begin(), marker.end());
    };
    return Try(branch, std::move(bad), std::move(good));
  };
}

}  // namespace

std::vector<RuleCase> EncodingCases() {
  const auto malformed = [](std::string name, std::string breaking, std::function<Attempt(Branch&)> build) {
    return RuleCase{.rule = Rule::kMalformed,
                    .name = name,
                    .breaking = breaking,
                    .twin = "the good block, the same hash",
                    .reject = "malformed",
                    .build = build};
  };
  return {
      malformed("TrailingByte", "a byte after the last transaction",
                AlteredBytes([](Bytes& raw) { raw.push_back(0); })),
      malformed("LastByteMissing", "the last byte left out", AlteredBytes([](Bytes& raw) { raw.pop_back(); })),
      malformed("HeaderAlone", "a header and nothing else", AlteredBytes([](Bytes& raw) { raw.resize(kCountAt); })),
      malformed("CountTooHigh", "one transaction fewer than the count says",
                AlteredBytes([](Bytes& raw) { ++raw[kCountAt]; })),
      malformed("CountNotShortest", "the count of transactions in three bytes", AlteredBytes([](Bytes& raw) {
                  const Bytes longer = {0xfd, raw[kCountAt], 0};
                  raw.erase(raw.begin() + kCountAt);
                  raw.insert(raw.begin() + kCountAt, longer.begin(), longer.end());
                })),
      malformed("CountBeyondBelief", "a count of transactions above 32 MiB", AlteredBytes([](Bytes& raw) {
                  const Bytes longer = {0xfe, 1, 0, 0, 2};
                  raw.erase(raw.begin() + kCountAt);
                  raw.insert(raw.begin() + kCountAt, longer.begin(), longer.end());
                })),
      malformed("WitnessesAllEmpty", "the encoding with witnesses for a transaction without one (BIP144)",
                WithMarker(1, {0})),
      malformed("UnknownFlag", "a flag that nothing defines (BIP144)", WithMarker(2, {})),
      malformed("UnknownFlagBesideWitness", "a flag that nothing defines, beside a witness",
                WithMarker(3, {1, 1, 0x51})),
  };
}

}  // namespace headrace::testing
