// Data directories of one small regtest chain, in the states that damage is done to, and what a node that starts on one
// of them must come to. Made once for all tests, in memory where the machine has a file system for that: durability is
// other tests' matter.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/ports/executor.h"
#include "tests/damage/damage.h"
#include "tests/support/chain_builder.h"
#include "tests/support/node/test_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

class HealthyDirectories {
 public:
  HealthyDirectories();

  // A node that was stopped cleanly below the tip of `chain`, one that was killed a few blocks later, and the first as
  // it was earlier.
  std::string clean() const { return home_.File("clean"); }
  std::string killed() const { return home_.File("killed"); }
  std::string older() const { return home_.File("older"); }
  // The same blocks in a store with another hash key, and another network's directory.
  std::string other_store() const { return home_.File("other_store"); }
  std::string other_network() const { return home_.File("other_network"); }

  const ChainBuilder& chain() const { return chain_; }
  // Leaves `chain` fifteen blocks below its tip, ends two blocks above it, and spends every coin it can.
  const ChainBuilder& branch() const { return branch_; }
  uint32_t clean_height() const { return clean_height_; }

  TestNodeOptions Options(const std::string& directory) const;
  // Every file of blocks/ and coins/, with the strangers that could stand in its place.
  std::vector<DamageSource> Sources(const std::string& directory) const;
  std::string NewPath() { return home_.File("work" + std::to_string(next_work_++)); }

 private:
  void Make(const std::string& directory, uint32_t to_height, bool is_killed, uint32_t entropy_seed = 1) const;

  TemporaryDirectory home_;
  std::unique_ptr<Executor> executor_;
  ChainBuilder chain_;
  ChainBuilder branch_;
  uint32_t clean_height_ = 0;
  int next_work_ = 0;
};

HealthyDirectories& Healthy();

// A copy that keeps symlinks.
void CopyDirectory(const std::string& from, const std::string& to);

}  // namespace headrace::testing
