// Reads -loadblock files and hands their blocks to the node, on a thread of its own, as fast as the node takes them.
//
// Twice: first the headers of all files, then the blocks. Walking costs a page a block, and the node then knows the chain before
// its first block: files in any order are taken as they come, and assumevalid applies.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/consensus/chain_params.h"
#include "engine/node/node.h"
#include "storage/file/file_system.h"

namespace headrace {

class BlockFileImporter {
 public:
  BlockFileImporter(Node& node, FileSystem& files, const ChainParams& params, std::vector<std::string> paths);
  ~BlockFileImporter() { Stop(); }

  void Stop();
  // Every file is read and every block taken by the node, or reading failed (see `failure`).
  bool is_done() const { return done_.load(std::memory_order_acquire); }
  // Valid once is_done().
  const absl::Status& failure() const { return failure_; }

 private:
  void Run();
  enum class Pass : uint8_t { kHeaders, kBlocks };
  absl::Status WalkFile(const std::string& path, Pass pass);
  // Hands it over, however long that takes; false when stopped.
  bool HandIn(MaskedBytes&& block, Pass pass);

  Node& node_;
  FileSystem& files_;
  const ChainParams& params_;
  const std::vector<std::string> paths_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  absl::Status failure_;
  std::thread thread_;
};

}  // namespace headrace
