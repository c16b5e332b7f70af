// A small chain of headrace-chaingen for tests that interrupt a node's environment: every kind of script, real
// signatures, and the unspent set that it must lead to. Made once for a test program.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/temporary_directory.h"

namespace headrace::testing {

struct GeneratedChain {
  TemporaryDirectory directory;
  std::string file;
  uint32_t height = 0;
  std::string hash_serialized_3;
};

const GeneratedChain& SharedChain();

}  // namespace headrace::testing
