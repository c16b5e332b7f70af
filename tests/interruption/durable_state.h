// What a data directory holds while no node runs on it, read by the test itself: the manifest of the coin store, the
// files that it does not name, and the blocks that stand whole in the block files. A restart is judged against this.
//
// One thread; reads every block file, so it costs as much as the chain is large.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "engine/base/bytes.h"
#include "storage/coins/coin_manifest.h"

namespace headrace::testing {

struct DurableState {
  std::optional<CoinManifest> manifest;      // nothing before the first checkpoint
  std::set<std::string> unnamed_coin_files;  // segments and images
  std::set<Hash256> blocks;
  bool has_manifest_aside = false;

  // Where a start begins, and to where the shards reach.
  uint32_t lowest_height() const { return manifest ? manifest->Lowest().height : 0; }
  uint32_t highest_height() const { return manifest ? manifest->Highest().height : 0; }
  // In which part of a checkpoint the files were left; empty when in none.
  std::string CheckpointStage() const;
};

// `chain` is every block that may be there: a frame that differs from it is torn. Anything that a kill must not leave
// (a manifest that cannot be read, or that names a file which is not there or too short) is a failure of the running
// test.
DurableState ReadDurableState(const std::string& network_directory, const std::map<Hash256, Bytes>& chain);

}  // namespace headrace::testing
