// Makes inputs out of inputs: what a blind fuzzer does, from a seed. Pure but for its random numbers; one thread.
#pragma once

#include <cstdint>
#include <random>
#include <span>

#include "engine/base/bytes.h"

namespace headrace::fuzz {

using Random = std::mt19937_64;

// One of the corpus with a few changes: bits and bytes changed, runs inserted, deleted, repeated or moved, numbers from
// the edges of their ranges written in both byte orders, the end cut off, or another one's middle put in. Now and then
// an unchanged one, or bytes from nowhere. At most `size_max` bytes.
Bytes MakeInput(Random& random, std::span<const Bytes> corpus, size_t size_max);

}  // namespace headrace::fuzz
