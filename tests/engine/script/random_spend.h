// Random transactions and scripts for comparing with plain twins: not valid, but of every shape.
#pragma once

#include <random>

#include "tests/engine/script/spend_fixture.h"

namespace headrace::testing {

using Random = std::mt19937_64;

Bytes RandomBytes(Random& random, size_t size);
// Operations that hit the interesting paths often: pushes (some malformed), separators, conditionals, signature checks.
Bytes RandomScript(Random& random, size_t operations_max);
// A witness stack; sometimes with a script or a control block of the right size.
std::vector<Bytes> RandomWitness(Random& random);
// An output script: a template with random payload, or a random script.
Bytes RandomOutputScript(Random& random);
MutableTransaction RandomTransaction(Random& random);

}  // namespace headrace::testing
