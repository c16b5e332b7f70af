#include "tools/headraced/options.h"

#include <algorithm>

#include "engine/base/hex.h"
#include "engine/base/status_macros.h"
#include "net/peer/upload_target.h"
#include "net/rpc/rpc_authentication.h"
#include "tools/config/operator_files.h"
#include "tools/config/setting_reader.h"

namespace headrace {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

// -proxy and -onlynet: how others are reached, and which of them.
void ReadReachOptions(SettingReader& reader, DaemonOptions& options) {
  constexpr uint16_t kSocksPort = 9050;
  const std::optional<SettingValue> proxy = reader.One("proxy");
  if (proxy && !proxy->is_negated && proxy->text != "0") {
    const absl::StatusOr<Address> address = ParseAddress(proxy->text, kSocksPort);
    if (!address.ok() || address->port == 0) {
      reader.Fail(Complaint("proxy", *proxy, "write a numeric address, ADDRESS or ADDRESS:PORT"));
    } else {
      options.proxy = *address;
    }
  }
  constexpr uint32_t kOnion = NetworkBit(kNetworkTorV3);
  uint32_t only = 0;
  for (const SettingValue& value : reader.All("onlynet")) {
    if (value.is_negated) continue;
    const uint32_t network = value.text == "ipv4"    ? NetworkBit(kNetworkIpv4)
                             : value.text == "ipv6"  ? NetworkBit(kNetworkIpv6)
                             : value.text == "onion" ? kOnion
                                                     : 0;
    if (network == 0) reader.Fail(Complaint("onlynet", value, "write ipv4, ipv6 or onion"));
    only |= network;
  }
  if ((only & kOnion) != 0 && !options.proxy) {
    reader.Fail(absl::InvalidArgumentError("-onlynet=onion needs -proxy, the address of Tor's SOCKS5 proxy."));
  }
  if (options.proxy) options.networks |= kOnion;
  if (only != 0) options.networks = only;
}

void ReadDnsOptions(SettingReader& reader, DaemonOptions& options) {
  constexpr uint16_t kDnsPort = 53;
  for (const HostPort& one : ReadHostPorts(reader, "dnsserver", kDnsPort)) {
    if (const std::optional<Address> address = ParseNumericHost(one.host, one.port)) {
      options.dns_servers.push_back(*address);
    } else {
      reader.Fail(absl::InvalidArgumentError(Concat("-dnsserver=", one.host, " is not a numeric address. Give an IPv4 or IPv6 address.")));
    }
  }
  // Nobody serves regtest's seed, unless a test does.
  const bool is_served = options.chain != "regtest" || !options.dns_servers.empty();
  options.forces_dns_seeds = reader.Flag("forcednsseed").value_or(false);
  const std::optional<bool> asks = reader.Flag("dnsseed");
  if (options.forces_dns_seeds && asks == false) {
    reader.Fail(absl::InvalidArgumentError("-forcednsseed and -nodnsseed exclude one another."));
  }
  if (options.proxy && !options.dns_servers.empty()) {
    reader.Fail(absl::InvalidArgumentError("-dnsserver would be asked past the -proxy, which resolves names itself. Give one of them."));
  }
  // Seeds tell addresses of the internet alone.
  const bool is_of_use = (options.networks & (NetworkBit(kNetworkIpv4) | NetworkBit(kNetworkIpv6))) != 0;
  options.asks_dns_seeds = asks.value_or(is_of_use) && is_served && !options.connects_only;
  options.uses_fixed_seeds = reader.Flag("fixedseeds").value_or(true) && !options.connects_only;
}

// -whitelist and -whitebind: who is allowed more than others.
void ReadPermissionOptions(SettingReader& reader, DaemonOptions& options) {
  for (const SettingValue& value : reader.All("whitelist")) {
    if (value.is_negated) continue;
    if (const absl::StatusOr<PermittedRange> range = ParsePermittedRange(value.text); range.ok()) {
      options.permitted_ranges.push_back(*range);
    } else {
      reader.Fail(Complaint("whitelist", value,
                            Concat(std::string(range.status().message()), "; write [PERMISSION,...@]RANGE, as in noban,download@10.0.0.0/8")));
    }
  }
  for (const SettingValue& value : reader.All("whitebind")) {
    if (value.is_negated) continue;
    if (const absl::StatusOr<PermittedListener> listener = ParsePermittedListener(value.text, options.port); listener.ok()) {
      options.permitted_listeners.push_back(*listener);
    } else {
      reader.Fail(Complaint("whitebind", value,
                            Concat(std::string(listener.status().message()), "; write [PERMISSION,...@]ADDRESS[:PORT], numeric")));
    }
  }
}

// -maxuploadtarget: a number of MiB, or of the unit that its letter names; small letters are powers of 1000.
void ReadUploadTarget(SettingReader& reader, DaemonOptions& options) {
  const std::optional<SettingValue> value = reader.One("maxuploadtarget");
  if (!value || value->is_negated) return;
  std::string_view digits = value->text;
  uint64_t unit = kMiB;
  constexpr std::string_view kLetters = "kmgtKMGT";
  const size_t letter = digits.empty() ? std::string_view::npos : kLetters.find(digits.back());
  if (letter != std::string_view::npos) {
    digits.remove_suffix(1);
    unit = 1;
    for (size_t power = 0; power <= letter % 4; ++power) unit *= letter < 4 ? 1000 : 1024;
  }
  const std::optional<uint64_t> number = ToNumber<uint64_t>(digits);
  constexpr uint64_t kTargetMax = uint64_t{1} << 60;
  if (!number || *number > kTargetMax / unit) {
    return reader.Fail(Complaint("maxuploadtarget", *value, "write a whole number of MiB, or one with k, K, m, M, g, G, t or T"));
  }
  options.upload_target_bytes = *number * unit;
  if (options.upload_target_bytes != 0 && options.upload_target_bytes <= UploadTarget::kReserveBytes) {
    options.warnings.push_back(
        "-maxuploadtarget is less than a day of new blocks may take (576 MB): blocks older than a week are served to nobody without "
        "the download permission.");
  }
}

void ReadNetworkOptions(SettingReader& reader, const NetworkRow& network, DaemonOptions& options) {
  options.port = static_cast<uint16_t>(reader.Number("port").value_or(network.port));
  options.connects_only = !reader.All("connect").empty();
  options.connect = ReadHostPorts(reader, "connect", network.port);
  options.add_nodes = ReadHostPorts(reader, "addnode", network.port);
  options.seed_nodes = ReadHostPorts(reader, "seednode", network.port);
  for (const HostPort& one : ReadHostPorts(reader, "externalip", options.port)) {
    if (const std::optional<NodeAddress> address = NodeAddress::Parse(one)) {
      options.external_addresses.push_back(*address);
    } else {
      reader.Fail(absl::InvalidArgumentError(
          Concat("-externalip=", one.host, " is not a numeric address. Give an IPv4, IPv6 or .onion address.")));
    }
  }
  ReadReachOptions(reader, options);
  ReadDnsOptions(reader, options);
  options.bind = ReadHostPorts(reader, "bind", options.port);
  ReadPermissionOptions(reader, options);
  ReadUploadTarget(reader, options);
  // Who names peers to connect to, or hides behind a proxy, rarely wants others to come in; who names an address to listen
  // on does.
  options.listen = reader.Flag("listen").value_or((!options.connects_only && !options.proxy) || !options.bind.empty() ||
                                                  !options.permitted_listeners.empty());
  options.connections_max = static_cast<uint32_t>(reader.Number("maxconnections").value_or(options.connections_max));
  options.blocks_in_transit_per_peer_max =
      static_cast<uint32_t>(reader.Number("maxblocksintransit").value_or(options.blocks_in_transit_per_peer_max));
  static constexpr std::string_view kSyncs[] = {"headers", "inventory"};
  options.sync_mode = reader.Word<SyncMode>("sync", kSyncs);
  static constexpr std::string_view kKinds[] = {"auto", "io_uring", "epoll"};
  options.transport = reader.Word<TransportKind>("nettransport", kKinds);
}

void ReadChainOptions(SettingReader& reader, DaemonOptions& options) {
  for (const SettingValue& value : reader.All("loadblock")) {
    if (!value.is_negated) options.load_block.push_back(value.text);
  }
  options.assume_valid = reader.Number256("assumevalid", true);
  options.minimum_chain_work = reader.Number256("minimumchainwork", false);
  options.reindex = reader.Flag("reindex").value_or(false);
  options.reindex_chainstate = reader.Flag("reindex-chainstate").value_or(false);
  options.stop_at_height = static_cast<uint32_t>(reader.Number("stopatheight").value_or(0));
  const std::optional<SettingValue> challenge = reader.One("signetchallenge");
  if (!challenge || challenge->is_negated) return;
  std::optional<std::vector<uint8_t>> script = HexDecode(challenge->text);
  if (!script || script->empty()) {
    reader.Fail(Complaint("signetchallenge", *challenge, "write the script as hex digits, two for each byte"));
  } else if (options.chain != "signet") {
    reader.Fail(absl::InvalidArgumentError("-signetchallenge needs -signet."));
  }
  options.signet_challenge = std::move(script);
}

void ReadMachineOptions(SettingReader& reader, const MachineFacts& machine, DaemonOptions& options) {
  const int64_t cores = std::max<uint32_t>(machine.cores, 1);
  const int64_t par = reader.Number("par").value_or(0);
  options.workers = static_cast<uint32_t>(par > 0 ? par : std::max<int64_t>(1, cores + par));
  const uint64_t half_of_memory_mib = machine.available_memory_bytes / 2 / kMiB;
  const int64_t cache_default_mib = static_cast<int64_t>(std::clamp<uint64_t>(half_of_memory_mib, 256, 16384));
  options.cache_bytes = static_cast<uint64_t>(reader.Number("dbcache").value_or(cache_default_mib)) * kMiB;
  if (const std::optional<int64_t> interval = reader.Number("checkpointinterval")) {
    options.checkpoint_interval_s = static_cast<uint32_t>(*interval);
    options.checkpoint_replay_bytes_min = 0;
  }
  static constexpr std::string_view kBackends[] = {"auto", "io_uring", "pread"};
  options.file_backend = reader.Word<FileBackend>("filebackend", kBackends);
}

void ReadLogOptions(SettingReader& reader, DaemonOptions& options) {
  auto category_at = [](size_t index) { return static_cast<LogCategory>(index); };
  constexpr size_t kCategories = static_cast<size_t>(LogCategory::kCount);
  std::array<bool, kCategories> is_on{};
  bool is_off = false;
  for (const SettingValue& value : reader.All("debug")) {
    if (value.is_negated || value.text == "0" || value.text == "none") {
      is_off = is_off || !value.is_negated;
      continue;
    }
    const bool is_all = value.text.empty() || value.text == "1" || value.text == "all";
    bool is_known = is_all;
    for (size_t i = 0; i < kCategories; ++i) {
      if (!is_all && LogCategoryName(category_at(i)) != value.text) continue;
      is_on[i] = is_known = true;
    }
    if (!is_known)
      reader.Fail(
          Complaint("debug", value, "categories are node, net, sync, validation, coins, blocks, disk, rpc and all"));
  }
  for (size_t i = 0; i < kCategories && !is_off; ++i) {
    if (is_on[i]) options.debug.push_back(category_at(i));
  }
  static constexpr std::string_view kFormats[] = {"text", "json"};
  options.log_format = reader.Word<LogFormat>("logformat", kFormats);
  options.print_to_console = reader.Flag("printtoconsole");
  options.summary_file = reader.Text("summaryfile");
  options.profile_file = reader.Text("profile");
}

// Where JSON-RPC is served. An address of the outside is taken only together with a range of clients: either of them
// alone is more likely a mistake than a wish to let everybody in.
void ReadRpcBindings(SettingReader& reader, DaemonOptions& options) {
  const std::vector<HostPort> bind = ReadHostPorts(reader, "rpcbind", options.rpc.port);
  for (const SettingValue& value : reader.All("rpcallowip")) {
    if (value.is_negated) continue;
    const absl::StatusOr<Subnet> range = Subnet::Parse(value.text);
    if (!range.ok()) {
      reader.Fail(Complaint("rpcallowip", value,
                            "write one address (1.2.3.4), or a network with its bits (1.2.3.0/24) or its mask"));
      continue;
    }
    options.rpc.allow.push_back(*range);
  }
  if (options.rpc.allow.empty() != bind.empty()) {
    options.warnings.push_back(
        bind.empty() ? "-rpcallowip takes no effect without -rpcbind: JSON-RPC is served to this machine alone."
                     : "-rpcbind takes no effect without -rpcallowip: JSON-RPC is served to this machine alone.");
  }
  if (options.rpc.allow.empty() || bind.empty()) {
    options.rpc.bind = {{*ParseNumericHost("127.0.0.1", options.rpc.port)},
                        {*ParseNumericHost("::1", options.rpc.port), true}};
    return;
  }
  for (const HostPort& one : bind) {
    const std::optional<Address> address = ParseNumericHost(one.host == "localhost" ? "127.0.0.1" : one.host, one.port);
    if (address) {
      options.rpc.bind.push_back({*address});
    } else {
      reader.Fail(absl::InvalidArgumentError(
          Concat("-rpcbind=", one.host, " is not a numeric address. Give an IPv4 or IPv6 address of this machine.")));
    }
  }
}

void ReadRpcOptions(SettingReader& reader, const NetworkRow& network, DaemonOptions& options) {
  RpcOptions& rpc = options.rpc;
  rpc.is_on = reader.Flag("server").value_or(true);
  rpc.port = static_cast<uint16_t>(reader.Number("rpcport").value_or(network.rpc_port));
  ReadRpcBindings(reader, options);
  rpc.user = reader.Text("rpcuser");
  rpc.password = reader.Text("rpcpassword");
  for (const SettingValue& value : reader.All("rpcauth")) {
    if (value.is_negated) continue;
    RpcAuthentication trial;
    const absl::Status status = trial.AddHashed(value.text);
    if (!status.ok()) reader.Fail(Complaint("rpcauth", value, std::string(status.message())));
    rpc.auth.push_back(value.text);
  }
  const std::optional<SettingValue> cookie = reader.One("rpccookiefile");
  const bool has_cookie = rpc.password.empty() && !(cookie && cookie->is_negated);
  if (has_cookie) {
    const bool is_named = cookie && !cookie->text.empty();
    rpc.cookie_file = PathUnder(options.network_directory, is_named ? cookie->text : kCookieFileName);
  }
  static constexpr std::string_view kReaders[] = {"owner", "group", "all"};
  rpc.cookie_readers = reader.Word<CookieReaders>("rpccookieperms", kReaders);
  rpc.threads = static_cast<uint32_t>(reader.Number("rpcthreads").value_or(rpc.threads));
  rpc.work_queue = static_cast<uint32_t>(reader.Number("rpcworkqueue").value_or(rpc.work_queue));
  rpc.server_timeout_s = static_cast<uint32_t>(reader.Number("rpcservertimeout").value_or(rpc.server_timeout_s));
}

}  // namespace

absl::StatusOr<DaemonOptions> ParseDaemonOptions(std::span<const char* const> arguments, const MachineFacts& machine) {
  DaemonOptions options;
  Settings settings(DaemonOptionTable());
  HR_RETURN_IF_ERROR(settings.AddCommandLine(arguments));
  SettingReader command_line(settings, "");
  if (command_line.Flag("help").value_or(false)) options.action = DaemonAction::kPrintHelp;
  if (command_line.Flag("version").value_or(false)) options.action = DaemonAction::kPrintVersion;
  HR_RETURN_IF_ERROR(command_line.status());
  if (options.action != DaemonAction::kRun) return options;

  HR_ASSIGN_OR_RETURN(const OperatorPlace place, ReadOperatorFiles(settings, machine));
  options.data_directory = place.data_directory;
  options.network_directory = place.network_directory;
  const NetworkRow& network = *place.network;
  options.chain = std::string(network.chain);
  options.warnings = settings.Warnings(options.chain);

  SettingReader reader(settings, options.chain);
  ReadNetworkOptions(reader, network, options);
  ReadChainOptions(reader, options);
  ReadMachineOptions(reader, machine, options);
  ReadLogOptions(reader, options);
  ReadRpcOptions(reader, network, options);
  HR_RETURN_IF_ERROR(reader.status());
  return options;
}

}  // namespace headrace
