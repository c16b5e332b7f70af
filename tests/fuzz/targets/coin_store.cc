// The coin store against an ordered map: blocks connected in windows and disconnected by their undo records,
// checkpoints at any moment, and a disk that loses power, ends the process or fails between any two operations.
#include "tests/fuzz/coin_story.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

constexpr int kStepsMax = 60;

void Run(ByteSpan input) {
  FuzzInput in(input);
  CoinStory story(in);
  for (int steps = 0; steps < kStepsMax && story.Step(); ++steps) {
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  uint64_t state = 1;
  for (int i = 0; i < 12; ++i) {
    Bytes& input = corpus.emplace_back();
    for (int size = 0; size < 200 + i * 60; ++size) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      input.push_back(static_cast<uint8_t>(state >> 56));
    }
  }
  // A block, and a checkpoint during whose publication the power fails, again and again: at each of its operations.
  for (uint8_t seed = 0; seed < 4; ++seed) {
    for (uint8_t operation = 0; operation < 8; ++operation) {
      Bytes& input = corpus.emplace_back(Bytes{seed, operation, 0, 0, 3, 0});
      for (int i = 0; i < 12; ++i) {
        input.insert(input.end(), {0, 0, 1, 0, 0, 0});
        input.insert(input.end(), {9, 2, 2, operation, 0, 0});
      }
    }
  }
  return corpus;
}

FUZZ_TARGET(coin_store, 60, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
