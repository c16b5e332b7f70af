// One node of a simulated world: the real engine, the real stores and the real peer hub over simulated ports. Its disk
// and its address outlive it; everything else is one life, from a start to a stop, a crash or a failure.
//
// The world turns its four components (engine, reactor, executor, disk), each with a wakeup of its own. One thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/node/node.h"
#include "net/discovery/book_keeper.h"
#include "net/peer/peer_hub.h"
#include "storage/blocks/flat_block_store.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/journal/journal_file.h"
#include "tests/sim/chain_model.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_executor.h"
#include "tests/sim/sim_file_system.h"
#include "tests/sim/sim_transport.h"

namespace headrace::sim {

// What a node is made with; drawn by the world.
struct SimNodeOptions {
  Address address;
  std::vector<Address> connect;
  NodeOptions node;
  PeerHubOptions hub;  // limits and patience; who and where is filled in
  uint32_t block_file_bytes_max = 64 << 10;
  uint64_t coin_cache_bytes = 1 << 20;
  uint64_t hold_one_in = 16;
  int64_t hold_ns_max = 200 * kNsPerMs;
  // How long a turn of each component takes, at most.
  std::array<int64_t, 4> turn_ns_max{};
};

class SimNode {
 public:
  enum Component : int { kEngine, kReactor, kExecutor, kDisk, kComponentCount };
  enum class Rebuild : uint8_t { kNothing, kChainstate, kEverything };

  SimNode(int number, const SimNodeOptions& options, SimNetwork& network, SimClock& clock, SimEntropy entropy);
  ~SimNode();

  int number() const { return number_; }
  const SimNodeOptions& options() const { return options_; }
  SimDisk& disk() { return disk_; }
  Wakeup& wakeup(int component) { return wakeups_[static_cast<size_t>(component)]; }

  bool is_running() const { return life_ != nullptr; }
  // A new life on what the disk holds. A failure leaves no life, and says why.
  absl::Status Start(Rebuild rebuild);
  // Turns one component; an engine's failure ends the life.
  absl::Status Turn(int component);
  // As an operator would: everything is finished and made durable. Ends the life.
  absl::Status Stop();
  // Without warning. `has_power`: only the process is gone.
  void Crash(bool has_power);
  // The disk's power has failed under the node: the life is over, whatever its calls still return.
  bool has_lost_power() const { return life_ != nullptr && !life_->files.is_alive(); }

  // Of the running life.
  bool OfferBlock(const ModelBlock& block);
  bool has_taken_offers() const;
  BlockPoint applied() const { return life_->node->AppliedTip(); }
  BlockPoint resolved() const { return life_->coins->resolved(); }
  BlockPoint durable() const { return life_->coins->durable(); }
  std::optional<BlockPoint> publishing() const {
    const CoinManifest* manifest = life_->coins->publishing();
    return manifest == nullptr ? std::nullopt : std::make_optional(manifest->Lowest());
  }
  bool is_recovering() const { return life_->coins->recovery_end().height > life_->coins->resolved().height; }
  bool has_shards_ahead() const { return life_->coins->recovery_end().height > applied().height; }
  NodeStatus Status() const { return life_->node->Status(); }
  std::vector<PeerStatusNet> PeerStatuses() const { return life_->hub->Status(); }
  uint64_t coin_count() const { return life_->coins->counters().coins; }
  absl::StatusOr<bool> FindCoin(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script) const {
    return life_->node->FindCoin(outpoint, coin, script);
  }
  // Every coin of the store at its resolved height.
  absl::StatusOr<SetFigures> Figures() const;
  // Of the last clean stop.
  BlockPoint stopped_at() const { return stopped_at_; }
  bool stopped_in_recovery() const { return stopped_in_recovery_; }
  // Whether the store had a block's data when this life began.
  bool HadBlock(const Hash256& hash) const { return life_->blocks_at_start.contains(hash); }

 private:
  class Bell final : public Doorbell {
   public:
    Bell(SimClock& clock, Wakeup& wakeup) : clock_(clock), wakeup_(wakeup) {}
    void Ring() override { wakeup_.At(clock_.now_ns()); }

   private:
    SimClock& clock_;
    Wakeup& wakeup_;
  };

  // Members go in reverse order, as in the daemon.
  struct Life {
    Life(SimNode& node, SimNetwork& network, SimClock& clock);

    SimFileSystem files;
    SimExecutor executor;
    Bell doorbell;
    std::unique_ptr<FlatBlockStore> blocks;
    std::unique_ptr<FlatCoinStore> coins;
    SimTransport transport;
    JournalFile book_file;
    BookKeeper book_keeper;
    std::unique_ptr<PeerHub> hub;
    std::unique_ptr<Node> node;
    std::set<Hash256> blocks_at_start;
  };

  absl::Status Open(Life& life, Rebuild rebuild);
  absl::Status OpenStores(Life& life, Rebuild rebuild);
  absl::Status StartNode(Life& life);
  void StoreBook();
  void EndLife();

  const int number_;
  const SimNodeOptions options_;
  SimNetwork& network_;
  SimClock& clock_;
  SimEntropy entropy_;
  std::array<Wakeup, kComponentCount> wakeups_;
  SimDisk disk_;
  std::unique_ptr<Life> life_;
  BlockPoint stopped_at_;
  bool stopped_in_recovery_ = false;
};

}  // namespace headrace::sim
