// How much of the rules a run has covered: printed once at the end of the program. The test's own thread.
#pragma once

namespace headrace::testing {

struct RunSummary {
  int cases = 0;
  int proofs = 0;  // of these, cases that prove both sides by themselves
  int pairs = 0;
};

RunSummary& CurrentRun();

}  // namespace headrace::testing
