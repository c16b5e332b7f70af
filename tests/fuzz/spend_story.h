// A transaction and what it spends, told by an input: for targets that look at spends. Scripts stand behind correct
// hashes and commitments where the input wants it, and signatures are made by keys that are known, so that evaluation
// gets somewhere.
#pragma once

#include <vector>

#include "engine/primitives/mutable_transaction.h"
#include "tests/fuzz/fuzz_input.h"

namespace headrace::fuzz {

struct SpendStory {
  MutableTransaction transaction;
  std::vector<TransactionOutput> spent;  // one an input
};

// At least one input; at most four.
SpendStory ReadSpendStory(FuzzInput& in);

// Inputs to begin with, each for a way of spending; eight bytes of their own stand before the story, of which a target
// takes as many as it likes.
std::vector<Bytes> SpendStories();

}  // namespace headrace::fuzz
