// A machine on which a CoinPlan is lived: a simulated disk, the store on it, and whoever watches that every manifest is
// published in order: after what it relies on, and never ahead of the verdicts.
//
// What is wrong is said in a sentence (failure()); a Status is what the disk did. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/disk/coin_plan.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"

namespace headrace::sim {

// What a manifest says of heights; `through` is nothing as long as none was published.
struct CoinPublication {
  BlockPoint lowest;
  std::optional<BlockPoint> through;
  bool operator==(const CoinPublication&) const = default;
};

class CoinLife {
 public:
  // Switches a new machine on, whose disk tosses its coins by `disk_seed`.
  CoinLife(const CoinPlan& plan, uint64_t disk_seed);
  ~CoinLife();

  // Lives the steps from the next one on, until the last or until a call fails; the step that failed is the next one.
  absl::Status Live();
  size_t next_step() const { return next_step_; }

  // A step of this life in which publishing a manifest began, and at how many operations the step began and the manifest was known
  // to be there.
  struct Published {
    size_t step = 0;
    CoinPublication manifest;
    uint64_t first_operation = 0;
    uint64_t last_operation = 0;
  };
  const std::vector<Published>& published() const { return published_; }
  // Operations during which the store was being opened.
  const std::vector<std::pair<uint64_t, uint64_t>>& openings() const { return openings_; }
  const CoinPublication& manifest() const { return manifest_; }
  // What the last start found; nothing when the store could not be opened.
  const std::optional<CoinPublication>& found() const { return found_; }

  // The process is over, one way or another.
  void LosePower();
  void Kill();
  // The process ends by itself after a failed call. What is not on the medium is lost unless the failure allows a mere
  // end of the process and `may_keep`.
  void End(bool may_keep);

  // Starts again as the engine does: opens, re-applies what the parts of the store hold, goes back to the chain that
  // stood before the next step, and on to its tip.
  absl::Status Recover();
  // The manifest that was found must be the last one that was published, or `next` that was about to be.
  void RequireFound(const CoinPublication& last, const std::optional<CoinPublication>& next);
  // What the manifest relies on is on the medium.
  void RequireBlocks();
  // The store holds the coins as of before the next step, and nothing else.
  void RequireCoins();
  // A clean stop leaves the files that the manifest names and no other, and nothing to be applied again.
  absl::Status StopAndRequireTidiness();

  void RequireOk(const absl::Status& status) { Require(status.ok(), status.ToString()); }

  // What the store has done in this life.
  bool has_evicted() const { return has_evicted_; }
  bool has_compacted() const { return has_compacted_; }
  bool has_grown() const { return has_grown_; }

  // A hash of all names and bytes on the disk.
  uint64_t Fingerprint() const;

  SimDisk& disk() { return disk_; }
  // The first thing that was wrong; empty when nothing was.
  const std::string& failure() const { return failure_; }

 private:
  void Require(bool is_so, const std::string& otherwise) {
    if (!is_so && failure_.empty()) failure_ = otherwise;
  }
  absl::Status Open();
  void Close();
  absl::Status MakeDurable();
  absl::Status Apply(std::span<const BlockRef> window, bool compares_spent, WindowOutcome expected);
  absl::Status ApplyAll(const BlockWindow& branch, bool compares_spent);
  absl::Status Unapply(const BlockWindow& window);
  absl::Status Checkpoint(const CoinStep& step);
  absl::Status Carry(const CoinStep& step);
  absl::Status StartAgain();
  void SetApplied();
  void WatchManifest();
  void WatchDeeds();

  // The chain and coins before the next step.
  BlockPoint tip() const { return next_step_ == 0 ? plan_.origin() : plan_.steps()[next_step_ - 1].tip; }

  const CoinPlan& plan_;
  SimEntropy entropy_;
  Wakeup wakeup_;
  SimDisk disk_;
  testing::InlineExecutor executor_;
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<FlatCoinStore> store_;
  std::unique_ptr<PinnedCoinSet> pin_;

  size_t next_step_ = 0;
  uint64_t step_began_at_ = 0;
  // A manifest is on its way: since which step, and at how many operations that began.
  std::optional<std::pair<size_t, uint64_t>> publishing_;
  CoinPublication manifest_;
  std::optional<CoinPublication> found_;
  std::vector<Published> published_;
  std::vector<std::pair<uint64_t, uint64_t>> openings_;
  // What had its verdict at some time, and what the block files would have on the medium: blocks up to this serial.
  BlockPoint applied_;
  std::set<Hash256> ever_applied_;
  uint64_t applied_serial_ = 0;
  bool has_evicted_ = false;
  bool has_compacted_ = false;
  bool has_grown_ = false;
  std::string failure_;
};

}  // namespace headrace::sim
