#include "tools/headraced/daemon.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/sha256_path.h"
#include "engine/node/node.h"
#include "engine/runtime/component_thread.h"
#include "engine/runtime/production_clock.h"
#include "engine/runtime/production_entropy.h"
#include "engine/runtime/span_log.h"
#include "engine/runtime/tbb_executor.h"
#include "net/discovery/ares_lookup.h"
#include "net/discovery/book_keeper.h"
#include "net/discovery/dns_seeds.h"
#include "net/discovery/fixed_seeds.h"
#include "net/peer/peer_hub.h"
#include "net/peer/reactor_thread.h"
#include "net/transport/address.h"
#include "net/transport/open_transport.h"
#include "storage/blocks/flat_block_store.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/file/open_file_system.h"
#include "storage/journal/journal_file.h"
#include "tools/config/network.h"
#include "tools/headraced/block_file_importer.h"
#include "tools/headraced/log_sink.h"
#include "tools/headraced/process_usage.h"
#include "tools/headraced/progress.h"
#include "tools/headraced/report_file.h"
#include "tools/headraced/rpc_endpoint.h"
#include "tools/headraced/run_summary.h"
#include "tools/headraced/stop_signals.h"

namespace headrace {
namespace {

constexpr std::chrono::milliseconds kWatchInterval(100);
constexpr int64_t kEngineIdleWaitMs = 50;
constexpr size_t kProfiledSpansMax = 1'000'000;

ChainParams ParamsOf(const DaemonOptions& options) {
  const ChainId id = *ChainIdFromName(options.chain);
  if (id == ChainId::kSignet && options.signet_challenge) return SignetParams(*options.signet_challenge);
  return ParamsFor(id);
}

// Where to listen when nothing else is said: every IPv4 address, and every IPv6 one where the machine has any.
absl::StatusOr<std::vector<Address>> ListenAddresses(const std::vector<HostPort>& bind, bool is_said, uint16_t port) {
  std::vector<Address> addresses;
  for (const HostPort& one : bind) {
    const auto address = ParseNumericHost(one.host, one.port);
    if (!address) {
      return absl::InvalidArgumentError(
          absl::StrCat("-bind=", one.host, " is not a numeric address. Give an IPv4 or IPv6 address of this machine."));
    }
    addresses.push_back(*address);
  }
  if (is_said) return addresses;
  addresses.push_back(*ParseNumericHost("0.0.0.0", port));
  std::ifstream ipv6_addresses("/proc/net/if_inet6");
  if (ipv6_addresses.peek() != std::ifstream::traits_type::eof()) addresses.push_back(*ParseNumericHost("::", port));
  return addresses;
}

// One run of the node. Members are destroyed in reverse order: threads first, then what they use.
class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options)
      : options_(options), params_(ParamsOf(options)), spans_(options.profile_file.empty() ? 0 : kProfiledSpansMax) {
    SetSpanRecorder(&spans_);
  }

  absl::Status Run();

 private:
  absl::Status OpenDirectory();
  absl::Status StartRpc();
  void SetRpcPhase(const char* words);
  absl::Status OpenStores();
  absl::Status OpenNetwork();
  PeerHubOptions HubOptions();
  absl::Status StartNode();
  void StartThreads();
  void StoreBook();
  void Watch();
  absl::Status Stop();
  void Report();
  absl::Status EngineFailure() const;

  const DaemonOptions& options_;
  const ChainParams params_;
  SpanLog spans_;
  ProductionClock clock_;
  ProductionEntropy entropy_;
  FutexDoorbell doorbell_;

  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<DirectoryLock> lock_;
  std::unique_ptr<DaemonLogSink> log_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Executor> whole_set_executor_;
  std::unique_ptr<FlatBlockStore> blocks_;
  std::unique_ptr<FlatCoinStore> coins_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<AresLookup> lookup_;
  std::unique_ptr<PeerHub> hub_;
  PeerHubOptions hub_options_;
  std::unique_ptr<SmallFile> book_file_;
  std::unique_ptr<BookKeeper> book_keeper_;
  std::unique_ptr<Node> node_;

  std::unique_ptr<ProgressReporter> progress_;
  RunSummary summary_;
  mutable std::mutex failure_mutex_;
  absl::Status failure_;
  std::atomic<bool> failed_{false};

  std::unique_ptr<ReactorThread> reactor_;
  std::unique_ptr<ComponentThread> engine_;
  std::unique_ptr<BlockFileImporter> importer_;
  std::unique_ptr<RpcEndpoint> rpc_;
};

FileSystemChoice ChoiceOf(FileBackend backend) {
  switch (backend) {
    case FileBackend::kIoUring: return FileSystemChoice::kUring;
    case FileBackend::kPread: return FileSystemChoice::kPlain;
    case FileBackend::kAuto: break;
  }
  return FileSystemChoice::kBest;
}

TransportChoice ChoiceOf(TransportKind kind) {
  switch (kind) {
    case TransportKind::kIoUring: return TransportChoice::kUring;
    case TransportKind::kEpoll: return TransportChoice::kEpoll;
    case TransportKind::kAuto: break;
  }
  return TransportChoice::kProbe;
}

// With fewer, whoever comes last among log, stores, network and RPC would be the one to fail, each in words of its own.
absl::Status CheckOpenFileLimit() {
  constexpr uint64_t kOpenFilesMin = 48;
  const uint64_t open_files_max = RaiseOpenFileLimit();
  if (open_files_max >= kOpenFilesMin) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("The limit of open files is ", open_files_max, ", and the node needs at least ",
                                                   kOpenFilesMin, " for itself. Raise it (ulimit -n)."));
}

absl::Status Daemon::OpenDirectory() {
  HR_RETURN_IF_ERROR(CheckOpenFileLimit());
  HR_ASSIGN_OR_RETURN(files_, OpenFileSystem(ChoiceOf(options_.file_backend)));
  HR_RETURN_IF_ERROR(files_->MakeDirectories(options_.network_directory));
  HR_ASSIGN_OR_RETURN(lock_, files_->LockDirectory(options_.network_directory));
  // On a terminal the progress bar has the screen; elsewhere lines go to standard output.
  const bool to_console = options_.print_to_console.value_or(isatty(STDOUT_FILENO) == 0);
  HR_ASSIGN_OR_RETURN(log_, DaemonLogSink::Open(options_.network_directory + "/debug.log", options_.log_format, to_console));
  SetLogSink(log_.get());
  for (LogCategory category : options_.debug) EnableDebugCategory(category);
  progress_ = std::make_unique<ProgressReporter>(to_console ? nullptr : stdout);
  const Sha256Kernels sha256 = Sha256KernelsOf(ActiveSha256Path());
  HR_LOG(kInfo, kNode, "headrace ", HEADRACE_VERSION, " chain=", std::string(params_.name), " directory=", options_.network_directory,
         " workers=", options_.workers, " dbcache_mb=", options_.cache_bytes >> 20, " files=", std::string(files_->name()),
         " sha256=", std::string(Sha256PathName(ActiveSha256Path())), " sha256_single=", std::string(sha256.single),
         " sha256_nodes=", std::string(sha256.nodes), " sha256_batches=", std::string(sha256.batches));
  for (const std::string& warning : options_.warnings) HR_LOG(kWarning, kNode, warning);
  return absl::OkStatus();
}

absl::Status Daemon::StartRpc() {
  if (!options_.rpc.is_on) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(rpc_, RpcEndpoint::Start(options_, entropy_));
  return absl::OkStatus();
}

void Daemon::SetRpcPhase(const char* words) {
  if (rpc_ != nullptr) rpc_->SetPhase(words);
}

absl::Status Daemon::OpenStores() {
  executor_ = MakeTbbExecutor(options_.workers);
  whole_set_executor_ = MakeTbbExecutor(options_.workers, ExecutorUrgency::kIdle);
  FlatBlockStore::Options blocks;
  blocks.directory = options_.network_directory + "/blocks";
  blocks.magic = params_.message_magic;
  blocks.genesis = BlockHeader::Load(GenesisBlock(params_).data());
  blocks.on_scan = [this](const BlockScanProgress& scan) {
    progress_->UpdateScan(scan, clock_.MonotonicNs());
    return !StopWasRequested();
  };
  const std::string coin_directory = options_.network_directory + "/coins";
  if (options_.reindex || options_.reindex_chainstate) {
    HR_RETURN_IF_ERROR(FlatBlockStore::CheckNetwork(*files_, blocks));
    HR_LOG(kInfo, kNode, options_.reindex ? "rebuilding the block index and the unspent set" : "rebuilding the unspent set");
    // In this order: an unspent set never stands on blocks that the index does not know.
    HR_RETURN_IF_ERROR(ForgetCoinStore(files_.get(), coin_directory));
    if (options_.reindex) HR_RETURN_IF_ERROR(FlatBlockStore::ForgetIndex(*files_, blocks));
  }
  HR_ASSIGN_OR_RETURN(blocks_, FlatBlockStore::Open(*files_, blocks));

  CoinStoreOptions coins;
  coins.files = files_.get();
  coins.executor = executor_.get();
  coins.whole_set_executor = whole_set_executor_.get();
  coins.entropy = &entropy_;
  coins.directory = coin_directory;
  coins.network_magic = LoadLittle32(params_.message_magic.data());
  coins.cache_bytes_max = options_.cache_bytes;
  coins.origin = {params_.genesis_hash, 0};
  coins.make_durable = [this] { return blocks_->Sync(); };
  coins.begin_durable = [this] { blocks_->BeginSync(); };
  HR_ASSIGN_OR_RETURN(coins_, OpenCoinStore(coins));
  return absl::OkStatus();
}

// The connections that this node makes to peers of its choice come out of -maxconnections first.
OutboundLimits LimitsWithin(size_t& connections_max) {
  OutboundLimits limits;
  limits.full_relay_max = std::min(limits.full_relay_max, connections_max);
  connections_max -= limits.full_relay_max;
  limits.block_relay_max = std::min(limits.block_relay_max, connections_max);
  connections_max -= limits.block_relay_max;
  limits.feelers_max = std::min(limits.feelers_max, connections_max);
  connections_max -= limits.feelers_max;
  return limits;
}

PeerHubOptions Daemon::HubOptions() {
  PeerHubOptions hub;
  hub.magic = params_.message_magic;
  hub.inbound_max = options_.connections_max;
  hub.wants_headers = options_.sync_mode == SyncMode::kHeaders;
  // Block files, segments and the log come before strangers.
  constexpr uint64_t kFilesOfOurOwn = 300;
  const uint64_t open_files_max = RaiseOpenFileLimit();
  const uint64_t sockets_max = open_files_max > 2 * kFilesOfOurOwn ? open_files_max - kFilesOfOurOwn : open_files_max / 2;
  if (hub.inbound_max > sockets_max) {
    HR_LOG(kWarning, kNode, "fewer connections than -maxconnections: the limit of open files is too low max=", sockets_max,
           " open_files=", open_files_max);
    hub.inbound_max = static_cast<uint32_t>(sockets_max);
  }
  hub.permitted = options_.permitted_ranges;
  hub.upload_target_bytes = options_.upload_target_bytes;
  hub.proxy = options_.proxy;
  hub.connect = options_.connect;
  hub.connect.insert(hub.connect.end(), options_.add_nodes.begin(), options_.add_nodes.end());
  if (options_.connects_only) return hub;
  DiscoveryOptions& discovery = hub.discovery.emplace();
  discovery.accepts_unroutable = options_.chain == "regtest";
  discovery.own = options_.external_addresses;
  discovery.seed_nodes = options_.seed_nodes;
  discovery.outbound = LimitsWithin(hub.inbound_max);
  discovery.outbound.networks = options_.networks;
  discovery.asks_dns_through_proxy = options_.asks_dns_seeds && options_.proxy;
  discovery.dns.port = FindNetwork(options_.chain)->port;
  discovery.dns.is_forced = options_.forces_dns_seeds;
  // The seeds' nodes follow the default signet.
  if (!options_.signet_challenge) discovery.dns.names = DnsSeedsOf(options_.chain);
  if (options_.uses_fixed_seeds) discovery.fixed.addresses = FixedSeedsOf(options_.chain);
  discovery.fixed.are_others_asked = options_.asks_dns_seeds || !hub.connect.empty() || !options_.seed_nodes.empty();
  return hub;
}

absl::Status Daemon::OpenNetwork() {
  HR_ASSIGN_OR_RETURN(transport_, OpenTransport(ChoiceOf(options_.transport)));
  PeerHubOptions hub = HubOptions();
  if (hub.discovery && options_.asks_dns_seeds && !options_.proxy) {
    HR_ASSIGN_OR_RETURN(lookup_, AresLookup::Open(options_.dns_servers, transport_->doorbell()));
    hub.discovery->lookup = lookup_.get();
  }
  if (options_.listen) {
    const bool is_said = !options_.bind.empty() || !options_.permitted_listeners.empty();
    HR_ASSIGN_OR_RETURN(hub.listen, ListenAddresses(options_.bind, is_said, options_.port));
    hub.permitted_listen = options_.permitted_listeners;
  }
  hub_options_ = hub;
  hub_ = std::make_unique<PeerHub>(std::move(hub), *transport_, clock_, entropy_, doorbell_);
  if (hub_options_.discovery) {
    book_file_ = std::make_unique<JournalFile>(*files_, options_.network_directory + "/addresses.dat", params_.message_magic,
                                               BookKeeper::kContentBytesMax);
    book_keeper_ = std::make_unique<BookKeeper>(*book_file_);
    if (const std::optional<BookImage> image = book_keeper_->Load()) hub_->RestoreBook(*image);
  }
  return hub_->Start();
}

// Here, on the thread that watches, because the reactor must not wait for a disk.
void Daemon::StoreBook() {
  if (book_keeper_ == nullptr) return;
  if (const auto image = hub_->TakeBookImage()) book_keeper_->Store(*image);
}

absl::Status Daemon::StartNode() {
  NodeOptions node;
  node.stop_at_height = options_.stop_at_height;
  node.minimum_chain_work = params_.minimum_chain_work;
  if (options_.minimum_chain_work) node.minimum_chain_work = Uint256::FromHash(*options_.minimum_chain_work);
  std::array<uint8_t, 16> salt;
  entropy_.Fill(salt);
  node.header_salt = {LoadLittle64(salt.data()), LoadLittle64(salt.data() + 8)};
  node.syncs_by_inventory = options_.sync_mode == SyncMode::kInventory;
  node.download.in_flight_per_peer_max = options_.blocks_in_transit_per_peer_max;
  node.pipeline.assume_valid = {options_.assume_valid.value_or(params_.assume_valid), node.minimum_chain_work};
  node.pipeline.checkpoint_interval_ns = int64_t{options_.checkpoint_interval_s} * 1'000'000'000;
  node.pipeline.checkpoint_replay_bytes_min = options_.checkpoint_replay_bytes_min;
  HR_LOG(kInfo, kNode, "posture=", node.pipeline.assume_valid.block.IsZero() ? "full" : "assumevalid",
         " assumevalid=", node.pipeline.assume_valid.block.ToHex(), " minimumchainwork=", node.minimum_chain_work.ToHex());
  node_ = std::make_unique<Node>(params_, node, NodePorts{clock_, *executor_, *blocks_, *coins_, *hub_, doorbell_, entropy_});
  std::vector<StrayBlock> stray;
  for (const RecoveredBlock& block : blocks_->recovered_blocks()) stray.push_back({block.hash, block.position});
  HR_RETURN_IF_ERROR(node_->Start(stray));
  blocks_->ForgetRecords();
  return absl::OkStatus();
}

void Daemon::StartThreads() {
  reactor_ = std::make_unique<ReactorThread>(*hub_);
  engine_ = std::make_unique<ComponentThread>("engine", &doorbell_, kEngineIdleWaitMs, [this] {
    if (failed_.load(std::memory_order_relaxed)) return false;
    const absl::StatusOr<bool> turned = node_->Step();
    if (turned.ok()) return *turned;
    {
      const std::lock_guard lock(failure_mutex_);
      failure_ = turned.status();
    }
    // Release: whoever sees the flag sees the sentence.
    failed_.store(true, std::memory_order_release);
    return false;
  });
  if (!options_.load_block.empty()) {
    importer_ = std::make_unique<BlockFileImporter>(*node_, *files_, params_, options_.load_block);
  }
}

absl::Status Daemon::EngineFailure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void Daemon::Report() {
  const NodeStatus status = node_->Status();
  const int64_t now_ns = clock_.MonotonicNs();
  const ProcessUsage usage = ReadProcessUsage();
  summary_.Observe(status, usage, now_ns);
  progress_->Update(status, usage.resident_bytes, now_ns);
  if (TakeLogReopenRequest()) log_->RequestReopen();
}

void Daemon::Watch() {
  while (!StopWasRequested() && !failed_.load(std::memory_order_acquire) && !node_->reached_stop_height()) {
    if (importer_ != nullptr && importer_->is_done() && !importer_->failure().ok()) return;
    if (!log_->failure().ok()) return;
    Report();
    StoreBook();
    std::this_thread::sleep_for(kWatchInterval);
  }
}

absl::Status Daemon::Stop() {
  HR_LOG(kInfo, kNode, "stopping");
  node_->StopWholeSetWork();
  // Calls that an engine which has failed would never answer are turned away; others are answered while it still turns.
  if (failed_.load(std::memory_order_acquire)) node_->TurnAwayCalls();
  if (rpc_ != nullptr) rpc_->Stop();
  if (importer_ != nullptr) importer_->Stop();
  engine_->Stop();
  node_->TurnAwayCalls();
  rpc_.reset();
  reactor_->Stop();
  absl::Status status = EngineFailure();
  // A failed disk is not written to again: what the last manifest names is what there is.
  if (status.ok()) StoreBook();
  if (status.ok()) status = node_->Shutdown();
  if (status.ok() && importer_ != nullptr && importer_->is_done()) status = importer_->failure();
  status.Update(log_->failure());
  const NodeStatus last = node_->Status();
  const int64_t now_ns = clock_.MonotonicNs();
  const ProcessUsage usage = ReadProcessUsage();
  progress_->Finish(last, usage.resident_bytes, now_ns);
  summary_.Finish(last, usage, now_ns);
  std::fputs(summary_.ToText().c_str(), stdout);
  std::fflush(stdout);
  if (!options_.summary_file.empty()) {
    status.Update(WriteReportFile(options_.summary_file, "summary file", summary_.ToJson()));
  }
  if (!options_.profile_file.empty()) status.Update(WriteReportFile(options_.profile_file, "profile", spans_.ToTrace()));
  if (!status.ok()) HR_LOG(kError, kNode, "stopped by a failure: ", status.message());
  HR_LOG(kInfo, kNode, "stopped height=", last.applied_height, " durable_height=", last.durable_height);
  log_->Flush();
  return status;
}

absl::Status Daemon::Run() {
  HR_RETURN_IF_ERROR(OpenDirectory());
  HR_RETURN_IF_ERROR(StartRpc());
  SetRpcPhase("Starting network threads…");
  HR_RETURN_IF_ERROR(OpenNetwork());
  SetRpcPhase("Loading block index…");
  absl::Status opened = OpenStores();
  SetRpcPhase("Verifying blocks…");
  if (opened.ok()) opened = StartNode();
  if (absl::IsCancelled(opened) && StopWasRequested()) {
    // As asked, and as if it had been killed: what was not finished is begun again by the next start.
    HR_LOG(kInfo, kNode, "stopped before the start was complete");
    log_->Flush();
    return log_->failure();
  }
  HR_RETURN_IF_ERROR(opened);
  summary_.Start(node_->Status(), clock_.MonotonicNs());
  StartThreads();
  if (rpc_ != nullptr) rpc_->SetReady(node_->facade(), *hub_, hub_options_);
  Watch();
  return Stop();
}

}  // namespace

absl::Status RunDaemon(const DaemonOptions& options) {
  InstallStopSignals();
  absl::Status status;
  {
    Daemon daemon(options);
    status = daemon.Run();
    // The sink goes with the daemon; nobody may log into it afterwards.
    SetLogSink(nullptr);
    SetSpanRecorder(nullptr);
  }
  return status;
}

}  // namespace headrace
