// Finds the network's directory that the operator means, and which network it is of.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/consensus/chain_params.h"
#include "storage/file/file_system.h"

namespace headrace {

struct DataDirectory {
  std::string path;
  const ChainParams* chain = nullptr;

  std::string coins() const { return path + "/coins"; }
  std::string blocks() const { return path + "/blocks"; }
  uint32_t magic() const;
};

// `path` holds coins/ or blocks/ itself, or exactly one network's folder that does. `chain_name` may be empty: the folder's
// name, or the coin store's manifest, then tells the network.
absl::StatusOr<DataDirectory> FindDataDirectory(FileSystem* files, const std::string& path, const std::string& chain_name);

}  // namespace headrace
