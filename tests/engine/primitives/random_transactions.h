// Random transactions and blocks in the plain form, and random damage to their bytes, for tests that hold decoders equal.
#pragma once

#include <random>
#include <vector>

#include "tests/reference/plain_decoder.h"

namespace headrace::testing {

using Random = std::mt19937_64;

// Transactions of every shape: no inputs, no outputs, with and without witness, long scripts now and then.
reference::PlainTransaction RandomPlainTransaction(Random& random);
reference::PlainBlock RandomBlock(Random& random);
// BIP144's encoding of a transaction with two inputs and no witness: what a decoder must refuse.
std::vector<uint8_t> EmptyWitnessEncoding(Random& random);
// Overwrites, cuts, inserts or repeats a few bytes; the result may by chance be valid or even unchanged.
std::vector<uint8_t> Damage(std::vector<uint8_t> bytes, Random& random);

}  // namespace headrace::testing
