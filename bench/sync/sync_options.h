// What the harness is asked to measure: the command line, checked, and what the chain's facts say of it.
//
// Errors are sentences for the user.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace headrace::bench {

// How a node comes by the blocks.
enum class Mode : uint8_t {
  kIbd,                // from seeding nodes over TCP on loopback
  kImport,             // -loadblock of the chain's files into an empty directory
  kReindexChainstate,  // -reindex-chainstate of a directory that has the blocks
};
std::string_view NameOf(Mode mode);

struct SyncOptions {
  bool wants_help = false;
  std::string chain;                // a block file, or a folder of blk*.dat
  std::string expected;             // the generator's facts
  std::string node;                 // the headraced that seeds and is measured
  std::vector<std::string> versus;  // another node's command, empty without one
  std::vector<Mode> modes = {Mode::kIbd};
  std::vector<std::string> assumevalid = {"tail", "0"};  // "tail", "0" or a hash
  std::vector<uint32_t> peers = {1};
  std::vector<uint32_t> par = {0};
  std::vector<uint32_t> dbcache = {450};
  uint32_t repetitions = 5;
  uint32_t deadline_s = 1800;  // of one run
  uint64_t slow_peer_bytes_per_s = 0;
  std::string seed_data;  // a seeding node's data directory, kept; empty: made anew in the work folder
  std::string work;       // where data directories are made
  std::string json;       // empty: none
};

// `program_directory` is where headraced is looked for unless --node says otherwise.
absl::StatusOr<SyncOptions> ParseSyncOptions(std::span<const char* const> arguments,
                                             const std::string& program_directory);
std::string SyncUsage();

// The chain's files, in order, and what a node must end on.
struct Chain {
  std::vector<std::string> files;
  uint32_t height = 0;
  std::string best_block;
  std::string before_tail;
  std::string hash_serialized_3;
  uint64_t bytes = 0;
  uint64_t transactions = 0;
  uint64_t inputs = 0;
};

absl::StatusOr<Chain> ReadChain(const SyncOptions& options);

}  // namespace headrace::bench
