#include "tests/interruption/generated_chain.h"

#include <stdexcept>

#include "tests/interop/node_process.h"
#include "tests/support/data.h"

namespace headrace::testing {

const GeneratedChain& SharedChain() {
  // Goes with its directory when the program ends.
  static const std::unique_ptr<GeneratedChain> kChain = [] {
    auto chain = std::make_unique<GeneratedChain>();
    chain->file = chain->directory.File("chain.dat");
    chain->height = 260;
    const std::string expected = chain->directory.File("chain.json");
    const ProgramResult result = RunProgram(
        {Program("headrace-chaingen"), "--output=" + chain->file, "--blocks=" + std::to_string(chain->height),
         "--transactions-per-block=30", "--seed=11", "--expected=" + expected},
        120);
    if (result.status != 0) throw std::runtime_error("headrace-chaingen failed: " + result.errors);
    chain->hash_serialized_3 = ReadJson(expected)["hash_serialized_3"];
    return chain;
  }();
  return *kChain;
}

}  // namespace headrace::testing
