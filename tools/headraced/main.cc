// headraced: the node.

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include "engine/crypto/sha256_path.h"
#include "tools/common/allocator.h"
#include "tools/headraced/daemon.h"
#include "tools/headraced/options.h"

namespace {

// Freed memory that waits to be given back is some 15 MiB, which counts where little memory was promised; giving it back at
// once takes an import a sixth longer, which counts elsewhere (bench/README.md).
constexpr uint64_t kLittleCacheBytes = uint64_t{384} << 20;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "Error: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  // Before anything is hashed: a wish that cannot be met must not be met by something else.
  if (const auto path = headrace::ChooseSha256PathByEnvironment(); !path.ok()) return Fail(path.status());
  const std::span<const char* const> arguments(argv + 1, argv + argc);
  const auto options = headrace::ParseDaemonOptions(arguments, headrace::ReadMachineFacts());
  if (!options.ok()) return Fail(options.status());
  switch (options->action) {
    case headrace::DaemonAction::kPrintHelp:
      std::printf("%s", headrace::DaemonOptionTable().HelpText().c_str());
      return 0;
    case headrace::DaemonAction::kPrintVersion:
      std::printf("%s", headrace::DaemonOptionTable().VersionText().c_str());
      return 0;
    case headrace::DaemonAction::kRun:
      break;
  }
  if (options->cache_bytes < kLittleCacheBytes) headrace::ReturnFreedMemoryAtOnce();
  const absl::Status status = headrace::RunDaemon(*options);
  return status.ok() ? 0 : Fail(status);
}
