// The command line: defaults, every value's limits, and sentences for what is wrong.
#include "tools/chaingen/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace headrace::chaingen {
namespace {

absl::StatusOr<Options> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "--output=file");
  return ParseOptions(arguments);
}

TEST(ChaingenOptions, ValuesArrive) {
  const auto options = Parse({"--blocks=7", "--transactions-per-block=8", "--seed=18446744073709551615", "--inputs=1.25",
                              "--outputs=100", "--tail=7", "--era=2017", "--keys=3", "--threads=2", "--expected=e"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->output, "file");
  EXPECT_EQ(options->expected, "e");
  EXPECT_EQ(options->shape.blocks, 7u);
  EXPECT_EQ(options->shape.transactions_per_block, 8u);
  EXPECT_EQ(options->shape.seed, UINT64_MAX);
  EXPECT_EQ(options->shape.inputs_mean_per_mille, 1250u);
  EXPECT_EQ(options->shape.outputs_mean_per_mille, 100'000u);
  EXPECT_EQ(options->shape.tail, 7u);
  EXPECT_EQ(options->shape.era, Era::k2017);
  EXPECT_EQ(options->shape.keys, 3u);
  EXPECT_EQ(options->shape.threads, 2u);
}

TEST(ChaingenOptions, WhatIsNotGivenIsTheEras) {
  const auto options = Parse({"--era=2024"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_FALSE(options->shape.transactions_per_block || options->shape.inputs_mean_per_mille ||
               options->shape.outputs_mean_per_mille || options->shape.block_weight_max || options->shape.growth);
  EXPECT_TRUE(options->shape.shares.empty());
}

TEST(ChaingenOptions, SharesAndLimitsArrive) {
  const auto options = Parse({"--share=p2wpkh:40,op-return:0.125", "--share=p2tr-key:7.5", "--growth=0",
                              "--block-weight=4000000", "--tail-blocks=9"});
  ASSERT_TRUE(options.ok()) << options.status();
  const std::vector<ScriptShare>& shares = options->shape.shares;
  ASSERT_EQ(shares.size(), 3u);
  EXPECT_EQ(NameOfScript(shares[0].script), "p2wpkh");
  EXPECT_EQ(shares[0].share, 40'000u);
  EXPECT_EQ(NameOfScript(shares[1].script), "op-return");
  EXPECT_EQ(shares[1].share, 125u);
  EXPECT_EQ(NameOfScript(shares[2].script), "p2tr-key");
  EXPECT_EQ(shares[2].share, 7'500u);
  EXPECT_EQ(options->shape.growth, 0u);
  EXPECT_EQ(options->shape.block_weight_max, 4'000'000u);
  EXPECT_EQ(options->shape.tail, 9u);
}

TEST(ChaingenOptions, EitherAFileOrAFolder) {
  const std::vector<const char*> both = {"--output=a", "--output-dir=b"}, folder = {"--output-dir=b"};
  EXPECT_FALSE(ParseOptions(both).ok());
  const auto options = ParseOptions(folder);
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->output_dir, "b");
}

TEST(ChaingenOptions, WrongOnesAreRefusedWithASentence) {
  for (const char* wrong :
       {"--blocks=0", "--blocks=500001", "--blocks=-1", "--blocks=1x", "--blocks=", "--blocks", "blocks=3", "", "-",
        "--seed=18446744073709551616", "--inputs=0.9", "--inputs=100.001", "--inputs=1.", "--inputs=.5", "--inputs=1.2345",
        "--inputs=1.-1", "--inputs=x", "--era=2013", "--keys=2", "--threads=0", "--nothing=1", "--output=", "--tail=301",
        "--tail-blocks=301", "--growth=-1", "--block-weight=4000001", "--block-weight=9999", "--share=", "--share=p2wpkh",
        "--share=p2wpkh:", "--share=p2wpkh:101", "--share=p2wpkh:1.", "--share=p2wpkh:1,", "--share=p2what:1",
        "--share=p2wpkh:60,p2pkh:41", "--share=op-return:51", "--share=p2wpkh:1,p2wpkh:1"}) {
    const auto options = Parse({wrong});
    ASSERT_FALSE(options.ok()) << wrong;
    EXPECT_TRUE(options.status().message().find_last_of('.') == options.status().message().size() - 1) << wrong;
  }
  EXPECT_FALSE(ParseOptions({}).ok()) << "no output named";
}

TEST(ChaingenOptions, HelpNeedsNothingElse) {
  const std::vector<const char*> arguments = {"--help"};
  const auto options = ParseOptions(arguments);
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->wants_help);
  for (const char* name : {"--output", "--expected", "--blocks", "--transactions-per-block", "--inputs", "--outputs",
                           "--tail-blocks", "--era", "--keys", "--seed", "--threads", "--output-dir", "--share", "--growth",
                           "--block-weight", "p2sh-multisig", "op-return"}) {
    EXPECT_NE(UsageText().find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace headrace::chaingen
