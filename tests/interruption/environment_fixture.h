// What tests of a failing environment share: a node that must give up with one sentence, and that must come to the
// right end once the cause is gone.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/interop/node_process.h"
#include "tests/interruption/generated_chain.h"

namespace headrace::testing {

class EnvironmentTest : public ::testing::Test {
 protected:
  static std::vector<std::string> ImportOptions() { return {"-connect=0", "-loadblock=" + SharedChain().file}; }

  // Of a node that ended by itself: the one sentence that it must have said, with status 1. What failed is the
  // environment, so no block and no peer may have been blamed.
  static std::string Sentence(ChildProcess& process);
  // With the cause gone, from where it was: to the end, and the right unspent set, every checksum good.
  static void ExpectRightEnd(NodeProcess& node);
};

// Puts a program in front of headraced that limits it and becomes it: prlimit, setpriv. NodeProcess starts what this
// returns.
std::vector<std::string> Under(const std::vector<std::string>& front, const NodeProcess& node,
                               const std::vector<std::string>& options);

}  // namespace headrace::testing
