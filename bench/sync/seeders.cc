#include "bench/sync/seeders.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "bench/sync/process_probe.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr double kStart_s = 120;

std::string DirectoryOf(const SyncOptions& options, uint32_t seeder) {
  return absl::StrCat(options.work, "/seeder-", seeder);
}

absl::Status Import(const SyncOptions& options, const Chain& chain, const std::string& directory) {
  std::vector<std::string> arguments = {"-connect=0", "-listen=0", "-assumevalid=0"};
  for (const std::string& file : chain.files) arguments.push_back("-loadblock=" + file);
  BenchNode node({options.node}, directory, arguments);
  HR_RETURN_IF_ERROR(node.WaitForBestBlock(chain.best_block, options.deadline_s));
  return node.Stop(kStart_s);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Seeders>> Seeders::Start(const SyncOptions& options, const Chain& chain) {
  const std::string original = options.seed_data.empty() ? options.work + "/seed" : options.seed_data;
  if (!std::filesystem::exists(original)) HR_RETURN_IF_ERROR(Import(options, chain, original));
  const uint32_t count = *std::max_element(options.peers.begin(), options.peers.end());
  for (uint32_t seeder = 0; seeder < count; ++seeder) {
    HR_RETURN_IF_ERROR(CopyDataDirectory(original, DirectoryOf(options, seeder)));
  }
  std::unique_ptr<Seeders> seeders(new Seeders());
  uint16_t first_port = 0;
  for (uint32_t seeder = 0; seeder < count; ++seeder) {
    const uint16_t port = testing::FreePort();
    if (seeder == 0) first_port = port;
    seeders->addresses_.push_back("127.0.0.1:" + std::to_string(port));
    seeders->nodes_.push_back(std::make_unique<BenchNode>(
        std::vector<std::string>{options.node}, DirectoryOf(options, seeder),
        std::vector<std::string>{"-connect=0", "-listen=1", "-bind=" + seeders->addresses_.back(), "-dbcache=100"}));
    HR_RETURN_IF_ERROR(seeders->nodes_.back()->WaitForBestBlock(chain.best_block, kStart_s));
  }
  if (options.slow_peer_bytes_per_s != 0) {
    seeders->slow_relay_ = std::make_unique<testing::CountingProxy>(first_port, options.slow_peer_bytes_per_s);
    seeders->addresses_.front() = seeders->slow_relay_->address();
  }
  return seeders;
}

std::vector<std::string> Seeders::ConnectOptions(uint32_t count) const {
  std::vector<std::string> arguments;
  for (uint32_t seeder = 0; seeder < count; ++seeder) arguments.push_back("-connect=" + addresses_[seeder]);
  return arguments;
}

double Seeders::CpuSeconds() const {
  double seconds = 0;
  for (const auto& node : nodes_) seconds += CpuSecondsOf(node->pid());
  return seconds;
}

}  // namespace headrace::bench
