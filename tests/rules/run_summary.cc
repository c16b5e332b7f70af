#include "tests/rules/run_summary.h"

#include <iostream>

#include "gtest/gtest.h"

namespace headrace::testing {
namespace {

class PrintsSummary : public ::testing::Environment {
 public:
  void TearDown() override {
    const RunSummary& run = CurrentRun();
    std::cout << run.cases << " cases ran, " << run.proofs
              << " of them on the judging function or as a story of several "
              << "blocks; " << run.pairs << " pairs of rules\n";
  }
};

const ::testing::Environment* const g_prints_summary = ::testing::AddGlobalTestEnvironment(new PrintsSummary);

}  // namespace

RunSummary& CurrentRun() {
  static RunSummary run;
  return run;
}

}  // namespace headrace::testing
