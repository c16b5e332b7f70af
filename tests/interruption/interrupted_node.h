// A node that is killed again and again on one directory, and judged after every kill: what was durable stays durable,
// the next start begins where the manifest says and tells in its log what it took up, and the end is the right unspent
// set.
//
// One test thread. A kill costs a start of the node, the wait for its moment, and a read of the block files.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/interop/node_process.h"
#include "tests/interruption/durable_state.h"
#include "tests/interruption/kill_moment.h"

namespace headrace::testing {

// How often to kill in each phase: $HEADRACE_KILLS, or `kills` when it is not set.
uint32_t KillsPerPhase(uint32_t kills);
// So many kills of one phase must have hit its window; fewer may all have missed it, by the machine's timing.
inline constexpr uint32_t kKillsThatMustHit = 40;
// $HEADRACE_SEED, or a random one.
uint64_t RandomSeed();

// What the kills of a phase hit: the node's own state when it died, counted.
class KillHistogram {
 public:
  explicit KillHistogram(std::string phase) : phase_(std::move(phase)) {}
  ~KillHistogram();  // prints itself

  void Add(const std::string& hit) { ++counts_[hit]; }
  // Counts what the start that printed `output` says that it mended.
  void AddStart(const std::string& output);
  // Kills that hit a state whose name contains `part`.
  uint32_t Count(const std::string& part) const;

 private:
  const std::string phase_;
  std::map<std::string, uint32_t> counts_;
  std::map<std::string, uint32_t> mended_;
};

class InterruptedNode {
 public:
  // `chain`: every block that may come to stand in the block files.
  InterruptedNode(const std::map<Hash256, Bytes>& chain, KillHistogram& histogram, uint64_t seed);
  // Keeps the directory under a name that it prints when the test has failed.
  ~InterruptedNode();

  // Runs until the moment and kills. False when the node had ended by itself before, which must have been a clean end.
  bool Kill(const std::vector<std::string>& options, const KillMoment& moment);
  // Runs until the moment, asks for a stop, and kills after `stop_moment` of what the stop then does.
  bool KillWhileStopping(const std::vector<std::string>& options, const KillMoment& moment,
                         const KillMoment& stop_moment);
  // Runs to `height`, and compares height, block and hash of the unspent set with what they must be; nullopt compares
  // the height alone. Then every checksum in the directory is verified.
  void ExpectEnd(std::vector<std::string> options, uint32_t height,
                 const std::optional<std::string>& hash_serialized_3);

  // A reorganisation may publish a lower height than before; nothing else may.
  void AllowLowerHeights() { lower_heights_are_allowed_ = true; }
  // The next start has -reindex or -reindex-chainstate: what the manifest named is meant to go.
  void ForgetManifest() { manifest_is_forgotten_ = true; }

  const DurableState& durable() const { return durable_; }
  NodeProcess& node() { return node_; }
  std::string Where() const;

 private:
  bool Run(const std::vector<std::string>& options, const KillMoment& moment, const KillMoment* stop_moment);
  // What the run's log must say of the state that it found.
  void ExpectStartIsTold(const std::string& output) const;
  void ExpectNothingLost(const std::string& output);
  std::string HitBy(const std::string& output) const;

  const std::map<Hash256, Bytes>& chain_;
  KillHistogram& histogram_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  NodeProcess node_{"regtest"};
  DurableState durable_;
  uint32_t kills_ = 0;
  bool lower_heights_are_allowed_ = false;
  bool manifest_is_forgotten_ = false;
};

}  // namespace headrace::testing
