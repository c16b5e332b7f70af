// A fuzz target: one decoder or state machine, driven by bytes that nobody vouches for and judged by an oracle.
//
// A target is one file in targets/: a function that takes an input, does everything with it that matters, and stops the
// program (HR_CHECK) when something is not as it must be; and a function that makes inputs worth beginning with, by the
// project's own encoders. FUZZ_TARGET registers both. fuzz_main.cc runs them with inputs of its own making, and
// libfuzzer_entry.cc under libFuzzer.
//
// Threads: one. The input is an exactly sized block of heap memory, so that the address sanitizer sees every byte read
// past it, and goes away when the function returns.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/check.h"

namespace headrace::fuzz {

struct FuzzTarget {
  std::string_view name;
  // How many inputs the ctest entry makes: about a second's worth in release.
  uint32_t inputs;
  void (*run)(ByteSpan input);
  std::vector<Bytes> (*corpus)();
};

// Every target of the program, by name.
const std::vector<FuzzTarget>& AllTargets();
// nullptr when there is none of this name.
const FuzzTarget* FindTarget(std::string_view name);

// Gives the target its input in memory of exactly the right size.
void RunTarget(const FuzzTarget& target, ByteSpan input);

struct TargetRegistration {
  explicit TargetRegistration(const FuzzTarget& target);
};

}  // namespace headrace::fuzz

// FUZZ_TARGET(name, inputs, Run, Corpus): the file is targets/name.cc.
#define FUZZ_TARGET(name, inputs, run, corpus) \
  static const ::headrace::fuzz::TargetRegistration registration_of_##name({#name, inputs, run, corpus})
