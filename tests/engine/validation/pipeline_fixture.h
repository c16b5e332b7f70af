// What the pipeline's tests share: a node of its own directory, and chains that spend what has matured. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/support/node/test_node.h"

namespace headrace {

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() : executor_(MakeTbbExecutor(2)) {}

  testing::TestNodeOptions Options(Executor* executor = nullptr) {
    testing::TestNodeOptions options;
    options.directory = directory_.path();
    options.executor = executor == nullptr ? executor_.get() : executor;
    options.node.pipeline.checkpoint_interval_ns = 0;
    return options;
  }

  // `count` blocks with nothing but coinbases, then each block spends the coinbase that has just matured.
  static void Grow(testing::ChainBuilder& chain, uint32_t count, uint32_t salt = 0) {
    for (uint32_t i = 0; i < count; ++i) {
      std::vector<testing::TestTransaction> transactions;
      const uint32_t height = chain.height() + 1;
      if (height > 100) {
        const OutPoint coinbase = chain.CoinbaseOf(height - 100);
        if (chain.coins().contains(coinbase)) transactions.push_back(chain.Spend({coinbase}, 3, 1000));
      }
      chain.Add(std::move(transactions), -1, salt);
    }
  }

  static void OfferFrom(testing::TestNode& node, const testing::ChainBuilder& chain, uint32_t first_height) {
    for (uint32_t h = first_height; h <= chain.height(); ++h) node.Offer(*chain.blocks()[h - 1]);
  }

  testing::TemporaryDirectory directory_;
  std::unique_ptr<Executor> executor_;
};

}  // namespace headrace
