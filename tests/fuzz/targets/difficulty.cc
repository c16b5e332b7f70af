// Compact targets, retargets and required bits against numbers of any size over a vector of headers, on every network's
// rules.
#include "engine/consensus/difficulty.h"
#include "engine/primitives/targets.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/reference/plain_difficulty.h"
#include "tests/reference/vector_ancestry.h"

namespace headrace::fuzz {
namespace {

using testing::BigInteger;

constexpr ChainId kNetworks[] = {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4, ChainId::kSignet,
                                 ChainId::kRegtest};

// A period of eight blocks: boundaries come often enough to be met.
ChainParams ShortPeriods(ChainId id) {
  ChainParams params = ParamsFor(id);
  params.target_spacing_s = 600;
  params.target_timespan_s = 8 * 600;
  return params;
}

void CheckCompact(uint32_t bits) {
  const CompactTarget target = DecodeCompact(bits);
  const BigInteger plain = testing::PlainTarget(bits);
  const bool overflows = plain.digits().size() > 32;
  HR_CHECK(target.is_negative == testing::PlainIsNegative(bits) && target.overflows == overflows);
  if (overflows) {
    HR_CHECK(WorkFromBits(bits).IsZero());
    return;
  }
  const Hash256 value = target.value.ToHash();
  HR_CHECK(BigInteger({value.bytes.begin(), value.bytes.end()}) == plain);
  const uint32_t encoded = EncodeCompact(target.value);
  HR_CHECK(encoded == testing::PlainBits(plain) && DecodeCompact(encoded).value == target.value);
  // Work is the quotient as it is on paper.
  std::vector<uint8_t> digits(33);
  digits[32] = 1;
  const bool is_target = !target.is_negative && !target.value.IsZero();
  const BigInteger work = is_target ? BigInteger(digits) / (plain + BigInteger(1)) : BigInteger();
  const Hash256 given = WorkFromBits(bits).ToHash();
  HR_CHECK(BigInteger({given.bytes.begin(), given.bytes.end()}) == work);
}

void CheckProof(uint32_t bits, const Hash256& hash, const ChainParams& params) {
  const BigInteger plain = testing::PlainTarget(bits);
  const bool is_allowed =
      !testing::PlainIsNegative(bits) && !(plain == BigInteger()) && !(testing::PlainLimit(params) < plain);
  const bool is_met = is_allowed && !(plain < BigInteger({hash.bytes.begin(), hash.bytes.end()}));
  HR_CHECK(TargetFromBits(bits, params.pow_limit).has_value() == is_allowed);
  HR_CHECK(CheckProofOfWork(hash, bits, params) == is_met);
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const ChainParams params = ShortPeriods(kNetworks[in.Below(std::size(kNetworks))]);
  const uint32_t bits = in.U32();
  CheckCompact(bits);
  Hash256 hash;
  const ByteSpan digits = in.Take(in.U8() % 33);
  std::copy(digits.begin(), digits.end(), hash.bytes.begin());
  CheckProof(bits, hash, params);

  // Targets of a chain are targets that its rules allow, or close to them.
  const uint32_t easiest = EncodeCompact(params.pow_limit);
  std::vector<HeaderFacts> chain;
  uint32_t time_s = 1'500'000'000;
  const uint64_t headers = 1 + in.Below(40);
  for (uint64_t i = 0; i < headers; ++i) {
    time_s += static_cast<uint32_t>(static_cast<int16_t>(in.U16()));
    chain.push_back({time_s, in.Flag() ? easiest : easiest - static_cast<uint32_t>(in.Below(0x10000)), 4});
    HR_CHECK(MedianTimePast(testing::VectorAncestry(chain), static_cast<uint32_t>(i)) ==
             testing::PlainMedianTime(chain));
  }
  const uint32_t next_s = time_s + static_cast<uint32_t>(static_cast<int16_t>(in.U16()));
  const uint32_t required = RequiredBits(testing::VectorAncestry(chain), next_s, params);
  HR_CHECK(required == testing::PlainRequiredBits(chain, next_s, params));
  const uint32_t height = static_cast<uint32_t>(chain.size());
  if (TargetFromBits(bits, params.pow_limit)) {
    HR_CHECK(IsPermittedTransition(height, chain.back().bits, bits, params) ==
             testing::PlainIsPermittedTransition(height, chain.back().bits, bits, params));
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (uint8_t network = 0; network < 5; ++network) {
    for (const uint32_t bits : {0x1d00ffffu, 0x207fffffu, 0x03123456u, 0x01800001u, 0x23000100u, 0xff123456u, 0u}) {
      Bytes& input = corpus.emplace_back(1, network);
      for (int i = 0; i < 4; ++i) input.push_back(static_cast<uint8_t>(bits >> (8 * i)));
      input.push_back(32);
      input.insert(input.end(), 28, 0xff);
      input.insert(input.end(), 4, 0);
      input.push_back(static_cast<uint8_t>(39 - network));
      for (uint8_t i = 0; i < 120; ++i) input.push_back(static_cast<uint8_t>(i * 7 * (network + 1)));
    }
  }
  return corpus;
}

FUZZ_TARGET(difficulty, 6'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
