// What the operator asked for, understood and checked: every option of headraced with its default filled in. The daemon
// reads this struct and nothing else of the command line or of bitcoin.conf.
//
// Errors are one sentence each, without the "Error: " that the program puts before it. Cold path; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/base/log.h"
#include "engine/primitives/hash256.h"
#include "net/discovery/outbound_plan.h"
#include "net/peer/peer_permissions.h"
#include "net/rpc/http_server.h"
#include "net/rpc/rpc_cookie.h"
#include "net/transport/address.h"
#include "net/transport/subnet.h"
#include "tools/config/machine_facts.h"
#include "tools/config/option_table.h"

namespace headrace {

enum class DaemonAction : uint8_t { kRun, kPrintHelp, kPrintVersion };
enum class LogFormat : uint8_t { kText, kJson };
enum class TransportKind : uint8_t { kAuto, kIoUring, kEpoll };
enum class SyncMode : uint8_t { kHeaders, kInventory };
enum class FileBackend : uint8_t { kAuto, kIoUring, kPread };

struct RpcOptions {
  bool is_on = true;
  uint16_t port = 0;
  std::vector<HttpBinding> bind;
  std::vector<Subnet> allow;
  std::string user;
  std::string password;           // empty: none
  std::vector<std::string> auth;  // each understood by RpcAuthentication::AddHashed
  std::string cookie_file;        // empty: none is made
  CookieReaders cookie_readers = CookieReaders::kOwner;
  uint32_t threads = 4;
  uint32_t work_queue = 64;
  uint32_t server_timeout_s = 30;
};

struct DaemonOptions {
  DaemonAction action = DaemonAction::kRun;  // for kPrintHelp and kPrintVersion nothing below is filled in

  std::string chain = "main";  // main, test, testnet4, signet, regtest
  std::optional<std::vector<uint8_t>> signet_challenge;

  std::string data_directory;     // as given; holds bitcoin.conf and the networks' folders
  std::string network_directory;  // where this network's files live; data_directory itself on main

  bool connects_only = false;  // -connect or -noconnect: no outbound connection but `connect`
  std::vector<HostPort> connect;
  std::vector<HostPort> add_nodes;
  std::vector<HostPort> seed_nodes;
  std::vector<NodeAddress> external_addresses;
  std::optional<Address> proxy;                               // SOCKS5
  uint32_t networks = OutboundLimits{}.networks;              // in which peers are chosen
  bool asks_dns_seeds = false;
  bool forces_dns_seeds = false;
  bool uses_fixed_seeds = false;
  std::vector<Address> dns_servers;  // empty: the system's
  bool listen = true;
  uint16_t port = 0;
  std::vector<HostPort> bind;  // empty: every address, on `port`
  std::vector<PermittedListener> permitted_listeners;  // -whitebind
  std::vector<PermittedRange> permitted_ranges;        // -whitelist
  uint64_t upload_target_bytes = 0;                    // within 24 hours; 0: none
  uint32_t connections_max = 125;
  uint32_t blocks_in_transit_per_peer_max = 16;
  SyncMode sync_mode = SyncMode::kHeaders;
  TransportKind transport = TransportKind::kAuto;

  std::vector<std::string> load_block;
  std::optional<Hash256> assume_valid;        // unset: the network's; zero: every script is verified
  std::optional<Hash256> minimum_chain_work;  // unset: the network's; 256-bit number, least significant byte first
  bool reindex = false;                       // index and unspent set anew from the block files
  bool reindex_chainstate = false;            // the unspent set anew
  uint32_t stop_at_height = 0;                // 0: off

  uint32_t workers = 1;
  uint64_t cache_bytes = 0;
  FileBackend file_backend = FileBackend::kAuto;
  uint32_t checkpoint_interval_s = 60;
  // An interval that was asked for is kept however little is new.
  uint64_t checkpoint_replay_bytes_min = uint64_t{64} << 20;

  RpcOptions rpc;

  std::vector<LogCategory> debug;
  LogFormat log_format = LogFormat::kText;
  std::optional<bool> print_to_console;  // unset: as the terminal suggests
  std::string summary_file;              // empty: none
  std::string profile_file;              // empty: none

  std::vector<std::string> warnings;  // sentences for the log: settings that were ignored, and why
};

// `arguments` is argv without the program's name. Reads the configuration file, which may be absent unless it was
// named.
absl::StatusOr<DaemonOptions> ParseDaemonOptions(std::span<const char* const> arguments, const MachineFacts& machine);

// What headraced knows.
const OptionTable& DaemonOptionTable();

}  // namespace headrace
