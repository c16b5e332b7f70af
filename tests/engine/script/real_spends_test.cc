// Spends of real blocks, and of a generated chain that the field's own node made and accepted: each holds, and none
// holds any more when one bit of a signature that it needs is another.
#include "tests/engine/script/real_spends.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "engine/script/spend_verifier.h"
#include "tests/engine/script/required_signatures.h"

namespace headrace {
namespace {

using testing::RealSource;
using testing::RealTransaction;
using testing::RequiredSignatures;
using testing::SignaturePlace;

TEST(RealSpendsTest, EveryInputHolds) {
  const std::vector<RealSource> sources = testing::RealSources();
  if (sources.empty()) GTEST_SKIP() << testing::kNoRealSources;
  for (const RealSource& source : sources) {
    size_t inputs = 0;
    VisitRealTransactions(source, [&](const RealTransaction& real) {
      TransactionMidstates midstates;
      PrepareMidstates(real.transaction, real.spent, midstates);
      for (uint32_t input = 0; input < real.transaction.input_count(); ++input, ++inputs) {
        EXPECT_EQ(ScriptErrorName(VerifySpend(real.transaction, input, real.spent, source.flags, midstates)), "OK")
            << real.transaction.txid().ToHex() << " input " << input;
      }
    });
    EXPECT_GT(inputs, 0u) << source.path;
    std::cout << source.name() << ": " << inputs << " inputs\n";
  }
}

// Flips bits of a source's signatures in place, one at a time.
class BitFlipper {
 public:
  // Every `stride`-th signature is taken, each with one bit of r and one of s.
  BitFlipper(const RealSource& source, uint64_t stride) : source_(source), stride_(stride) {}

  void Visit(const RealTransaction& real) {
    TransactionMidstates midstates;
    PrepareMidstates(real.transaction, real.spent, midstates);
    for (uint32_t input = 0; input < real.transaction.input_count(); ++input) {
      const RequiredSignatures found =
          testing::FindRequiredSignatures(real.transaction, input, real.spent[input].script);
      // Scripts that are not of the common forms may carry signatures that decide nothing; real ones are still taken.
      if (!found.count_required && source_.is_generated) {
        inputs_left_out_ += !found.places.empty();
        continue;
      }
      if (found.count_required) {
        EXPECT_EQ(found.places.size() + found.malformed, *found.count_required) << Name(real, input, found);
      }
      malformed_ += found.malformed;
      for (const SignaturePlace& place : found.places) {
        if (seen_++ % stride_ != 0) continue;
        ++by_form_[found.form];
        const auto flip = [&](uint32_t offset, uint32_t size) {
          // A number's first two bytes decide whether its encoding is minimal and positive: they stay, so that it is
          // the signature that fails and not its form.
          const uint32_t kept = place.is_schnorr ? 0 : 2;
          if (size <= kept) return;
          uint8_t& byte = real.raw[offset + kept + random_() % (size - kept)];
          const uint8_t before = byte;
          byte ^= static_cast<uint8_t>(1 << random_() % 8);
          const ScriptError error = VerifySpend(real.transaction, input, real.spent, source_.flags, midstates);
          byte = before;
          ++flips_;
          ++by_error_[std::string(ScriptErrorName(error))];
          EXPECT_NE(error, ScriptError::kOk) << Name(real, input, found);
          EXPECT_NE(error, ScriptError::kSigDer) << Name(real, input, found);
        };
        flip(place.r_offset, place.r_size);
        flip(place.s_offset, place.s_size);
      }
    }
  }

  void Report() const {
    std::cout << source_.name() << ": " << flips_ << " flips in every " << stride_ << ". of " << seen_
              << " signatures (" << malformed_ << " of unusual form, " << inputs_left_out_
              << " inputs of unusual scripts left out)\n ";
    for (const auto& [form, count] : by_form_) std::cout << " " << form << "=" << count;
    for (const auto& [error, count] : by_error_) std::cout << " " << error << "=" << count;
    std::cout << "\n";
  }
  uint64_t flips() const { return flips_; }

 private:
  static std::string Name(const RealTransaction& real, uint32_t input, const RequiredSignatures& found) {
    return real.transaction.txid().ToHex() + " input " + std::to_string(input) + " " + found.form;
  }

  const RealSource& source_;
  const uint64_t stride_;
  std::mt19937_64 random_{2};
  uint64_t seen_ = 0, flips_ = 0, malformed_ = 0, inputs_left_out_ = 0;
  std::map<std::string, uint64_t> by_form_, by_error_;
};

TEST(RealSpendsTest, OneFlippedBitOfAnyRequiredSignatureFails) {
  const std::vector<RealSource> sources = testing::RealSources();
  if (sources.empty()) GTEST_SKIP() << testing::kNoRealSources;
  const bool takes_all = std::getenv("HEADRACE_ALL_FLIPS") != nullptr;
  for (const RealSource& source : sources) {
    BitFlipper flipper(source, takes_all ? 1 : 4);
    VisitRealTransactions(source, [&](const RealTransaction& real) { flipper.Visit(real); });
    flipper.Report();
    EXPECT_GT(flipper.flips(), 0u) << source.path;
  }
}

}  // namespace
}  // namespace headrace
