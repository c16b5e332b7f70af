#include "tests/sim/sim_node.h"

#include <algorithm>
#include <utility>

#include "engine/base/arena.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/chain_params.h"

namespace headrace::sim {
namespace {

// As production's: how long engine and reactor sleep when nobody wakes them.
constexpr int64_t kEngineSleepNs = 50 * kNsPerMs;
constexpr int64_t kReactorSleepNs = 250 * kNsPerMs;
constexpr int kGoodbyeSteps = 3;
const std::string kDirectory = "/data";

const ChainParams& Params() { return ParamsFor(ChainId::kRegtest); }

}  // namespace

SimNode::Life::Life(SimNode& node, SimNetwork& network, SimClock& clock)
    : files(node.disk_),
      executor(node.entropy_.Fork(), clock, node.wakeup(kExecutor), node.options_.hold_one_in,
               node.options_.hold_ns_max),
      doorbell(clock, node.wakeup(kEngine)),
      transport(network, clock, node.wakeup(kReactor), node.options_.address),
      book_file(files, kDirectory + "/addresses.dat", Params().message_magic, BookKeeper::kContentBytesMax),
      book_keeper(book_file) {}

SimNode::SimNode(int number, const SimNodeOptions& options, SimNetwork& network, SimClock& clock, SimEntropy entropy)
    : number_(number),
      options_(options),
      network_(network),
      clock_(clock),
      entropy_(entropy),
      disk_(entropy_.Fork(), wakeups_[kDisk]) {
  for (Wakeup& wakeup : wakeups_) wakeup.due_ns = INT64_MAX;
}

SimNode::~SimNode() {
  if (life_ != nullptr) Crash(true);
}

absl::Status SimNode::OpenStores(Life& life, Rebuild rebuild) {
  HR_RETURN_IF_ERROR(life.files.MakeDirectories(kDirectory));
  FlatBlockStore::Options blocks;
  blocks.directory = kDirectory + "/blocks";
  blocks.magic = Params().message_magic;
  blocks.genesis = BlockHeader::Load(GenesisBlock(Params()).data());
  blocks.file_bytes_max = options_.block_file_bytes_max;
  if (rebuild != Rebuild::kNothing) {
    HR_RETURN_IF_ERROR(ForgetCoinStore(&life.files, kDirectory + "/coins"));
    if (rebuild == Rebuild::kEverything) HR_RETURN_IF_ERROR(FlatBlockStore::ForgetIndex(life.files, blocks));
  }
  HR_ASSIGN_OR_RETURN(life.blocks, FlatBlockStore::Open(life.files, blocks));

  CoinStoreOptions coins;
  coins.files = &life.files;
  coins.executor = &life.executor;
  coins.entropy = &entropy_;
  coins.directory = kDirectory + "/coins";
  coins.network_magic = LoadLittle32(Params().message_magic.data());
  coins.cache_bytes_max = options_.coin_cache_bytes;
  coins.origin = {Params().genesis_hash, 0};
  coins.make_durable = [&life] { return life.blocks->Sync(); };
  coins.begin_durable = [&life] { life.blocks->BeginSync(); };
  HR_ASSIGN_OR_RETURN(life.coins, OpenCoinStore(coins));
  return absl::OkStatus();
}

absl::Status SimNode::StartNode(Life& life) {
  PeerHubOptions hub = options_.hub;
  hub.magic = Params().message_magic;
  hub.listen = {options_.address};
  for (const Address& address : options_.connect) hub.connect.push_back({address.HostText(), address.port});
  life.hub = std::make_unique<PeerHub>(std::move(hub), life.transport, clock_, entropy_, life.doorbell);
  if (options_.hub.discovery) {
    if (const std::optional<BookImage> image = life.book_keeper.Load()) life.hub->RestoreBook(*image);
  }
  HR_RETURN_IF_ERROR(life.hub->Start());
  life.node = std::make_unique<Node>(
      Params(), options_.node, NodePorts{clock_, life.executor, *life.blocks, *life.coins, *life.hub, life.doorbell, entropy_});
  std::vector<StrayBlock> stray;
  for (const RecoveredBlock& block : life.blocks->recovered_blocks()) {
    stray.push_back({block.hash, block.position});
    life.blocks_at_start.insert(block.hash);
  }
  for (const BlockRecord& record : life.blocks->records()) {
    if (record.data.exists()) life.blocks_at_start.insert(record.header.Hash());
  }
  HR_RETURN_IF_ERROR(life.node->Start(stray));
  life.blocks->ForgetRecords();
  return absl::OkStatus();
}

absl::Status SimNode::Open(Life& life, Rebuild rebuild) {
  HR_RETURN_IF_ERROR(OpenStores(life, rebuild));
  return StartNode(life);
}

absl::Status SimNode::Start(Rebuild rebuild) {
  HR_CHECK(life_ == nullptr);
  life_ = std::make_unique<Life>(*this, network_, clock_);
  const absl::Status opened = Open(*life_, rebuild);
  if (!opened.ok()) {
    // A start that fails is a process that ends.
    if (!has_lost_power()) Crash(!disk_.has_lost_writes());
    return opened;
  }
  wakeup(kEngine).due_ns = wakeup(kReactor).due_ns = clock_.now_ns();
  return absl::OkStatus();
}

absl::Status SimNode::Turn(int component) {
  const auto index = static_cast<size_t>(component);
  Wakeup& own = wakeups_[index];
  const int64_t now_ns = clock_.now_ns();
  const int64_t turn_ns = entropy_.Between(1, options_.turn_ns_max[index]);
  own.due_ns = INT64_MAX;
  // Whatever it is to do next, this turn takes its time.
  own.busy_until_ns = now_ns + turn_ns;
  switch (component) {
    case kEngine: {
      HR_ASSIGN_OR_RETURN(const bool turned, life_->node->Step());
      own.At(now_ns + (turned ? 0 : kEngineSleepNs));
      break;
    }
    case kReactor:
      life_->hub->Step(0);
      StoreBook();
      own.At(std::min(now_ns + kReactorSleepNs, life_->transport.NextDueNs()));
      break;
    case kExecutor:
      life_->executor.Step();
      own.At(life_->executor.NextDueNs());
      break;
    default:
      disk_.Step();
      if (disk_.has_work()) own.At(now_ns);
      break;
  }
  return absl::OkStatus();
}

// In production the thread that watches waits for the disk; here the reactor's turn takes as long.
void SimNode::StoreBook() {
  if (const auto image = life_->hub->TakeBookImage()) life_->book_keeper.Store(*image);
}

void SimNode::EndLife() {
  life_->executor.Drop();
  life_.reset();
  for (Wakeup& wakeup : wakeups_) wakeup.due_ns = INT64_MAX;
}

absl::Status SimNode::Stop() {
  life_->hub->BeginShutdown();
  for (int i = 0; i < kGoodbyeSteps; ++i) life_->hub->Step(0);
  life_->hub->AbortAll();
  life_->hub->Step(0);
  StoreBook();
  const absl::Status status = life_->node->Shutdown();
  if (!status.ok() || has_lost_power()) return status;
  stopped_at_ = applied();
  stopped_in_recovery_ = is_recovering();
  EndLife();
  return absl::OkStatus();
}

void SimNode::Crash(bool has_power) {
  if (has_power) {
    disk_.Kill();
  } else {
    disk_.FailPower();
  }
  life_->transport.Vanish(!has_power);
  EndLife();
}

bool SimNode::OfferBlock(const ModelBlock& block) { return life_->node->OfferBlock(MaskedBytes{SharedBytes::From(block.raw)}); }

bool SimNode::has_taken_offers() const { return life_->node->import_is_empty(); }

absl::StatusOr<SetFigures> SimNode::Figures() const {
  SetFigures figures;
  Arena arena;
  absl::Status damage;
  const CoinState& state = life_->coins->state();
  for (const CoinShard& shard : state.shards) {
    shard.table.ForEach([&](CoinTable::Position, RecordLocation location) {
      CoinRecord record;
      Coin coin;
      const bool is_read = state.space.Read(location, record) == RecordSpace::ReadResult::kRead;
      if (!is_read || !RestoreCoin(record, arena, coin)) {
        damage.Update(state.space.DamageAt(location));
        return;
      }
      ++figures.coins;
      figures.sum += HashCoin(OutPoint::Load(record.outpoint), coin.amount, coin.height, coin.is_coinbase, coin.script);
    });
    arena.Reset();
  }
  if (!damage.ok()) return damage;
  return figures;
}

}  // namespace headrace::sim
