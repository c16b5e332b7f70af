#include "tools/inspect/inspect_command.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/status_macros.h"
#include "engine/runtime/tbb_executor.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/coins/pinned_coins.h"
#include "storage/file/open_file_system.h"
#include "tools/inspect/block_files_check.h"
#include "tools/inspect/data_directory.h"

namespace headrace {
namespace {

constexpr char kUsage[] =
    "Usage: headrace-inspect coins|verify DATADIR [-chain=main|test|testnet4|signet|regtest]\n"
    "  coins   statistics of the unspent set at the last checkpoint, as JSON\n"
    "  verify  every checksum of coins and blocks, a line a file\n";

struct Request {
  std::string command;
  std::string directory;
  std::string chain;
};

absl::StatusOr<Request> Parse(const std::vector<std::string>& arguments) {
  Request request;
  for (const std::string& argument : arguments) {
    if (argument.starts_with("-chain=") || argument.starts_with("--chain=")) {
      request.chain = argument.substr(argument.find('=') + 1);
    } else if (argument.starts_with("-")) {
      return absl::InvalidArgumentError(absl::StrCat("There is no option ", argument, "."));
    } else if (request.command.empty()) {
      request.command = argument;
    } else if (request.directory.empty()) {
      request.directory = argument;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("One directory at a time: ", argument, " is one too many."));
    }
  }
  if (request.command != "coins" && request.command != "verify") {
    return absl::InvalidArgumentError(request.command.empty() ? std::string("A command is needed: coins or verify.")
                                                              : absl::StrCat("There is no command ", request.command, "."));
  }
  if (request.directory.empty()) return absl::InvalidArgumentError("A data directory is needed.");
  return request;
}

CoinStoreOptions OptionsOf(FileSystem* files, Executor* executor, const DataDirectory& directory) {
  CoinStoreOptions options;
  options.files = files;
  options.executor = executor;
  options.directory = directory.coins();
  options.network_magic = directory.magic();
  options.is_read_only = true;
  return options;
}

// The amount with eight decimals, which JSON libraries do not print by themselves.
std::string PrintWithAmount(const nlohmann::ordered_json& json, const std::string& placeholder, Amount amount) {
  std::string text = json.dump(2);
  const std::string quoted = "\"" + placeholder + "\"";
  text.replace(text.find(quoted), quoted.size(), absl::StrFormat("%d.%08d", amount / kCoin, amount % kCoin));
  return text;
}

absl::Status InspectCoins(FileSystem* files, Executor* executor, const DataDirectory& directory, std::ostream& out) {
  HR_ASSIGN_OR_RETURN(const auto coins, PinnedCoins::OpenPublished(OptionsOf(files, executor, directory)));
  const std::atomic<bool> must_stop{false};
  HR_ASSIGN_OR_RETURN(const CoinSetStatistics statistics, coins->Statistics({}, must_stop));
  nlohmann::ordered_json json;
  json["chain"] = std::string(directory.chain->name);
  json["height"] = statistics.best.height;
  json["bestblock"] = statistics.best.hash.ToHex();
  json["txouts"] = statistics.coins;
  json["bogosize"] = statistics.bogosize;
  json["hash_serialized_3"] = statistics.hash_serialized.ToHex();
  json["muhash"] = statistics.muhash.ToHex();
  json["total_amount"] = "amount";
  json["resident_bytes"] = coins->index_bytes();
  json["disk_bytes"] = coins->disk_bytes();
  out << PrintWithAmount(json, "amount", statistics.total_amount) << "\n";
  return absl::OkStatus();
}

// Prints a line a file; the first failure is returned after all were read.
absl::Status Verify(FileSystem* files, Executor* executor, const DataDirectory& directory, std::ostream& out) {
  absl::Status first;
  const auto report = [&](const std::string& path, const std::string& what, const absl::Status& status) {
    out << (status.ok() ? "ok       " : "DAMAGED  ") << path << "  " << what << "\n";
    first.Update(status);
  };
  const auto store = OpenCoinStore(OptionsOf(files, executor, directory));
  if (store.ok()) {
    report(directory.coins() + "/" + kManifestFileName, "manifest and index image", absl::OkStatus());
    for (const FlatCoinStore::FileVerdict& verdict : (*store)->VerifyAll()) {
      report(verdict.path, absl::StrCat(verdict.bytes, " bytes"), verdict.status);
    }
  } else if (absl::IsNotFound(store.status())) {
    out << "none     " << directory.coins() << "  no checkpoint yet\n";
  } else {
    report(directory.coins(), "cannot be opened", store.status());
  }
  HR_ASSIGN_OR_RETURN(const std::vector<BlockFileVerdict> verdicts,
                      CheckBlockFiles(files, directory.blocks(), *directory.chain));
  for (const BlockFileVerdict& verdict : verdicts) {
    const std::string name = verdict.path.substr(verdict.path.rfind('/') + 1);
    const char* const of = name.starts_with("blk") ? " blocks" : name.starts_with("rev") ? " undo records" : " records";
    report(verdict.path, absl::StrCat(verdict.blocks, of), verdict.status);
  }
  return first;
}

absl::Status Run(const Request& request, std::ostream& out) {
  HR_ASSIGN_OR_RETURN(const std::unique_ptr<FileSystem> files, OpenFileSystem());
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(std::max(1u, std::thread::hardware_concurrency() - 1));
  HR_ASSIGN_OR_RETURN(const DataDirectory directory, FindDataDirectory(files.get(), request.directory, request.chain));
  return request.command == "coins" ? InspectCoins(files.get(), executor.get(), directory, out)
                                    : Verify(files.get(), executor.get(), directory, out);
}

}  // namespace

int RunInspect(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& errors) {
  if (std::any_of(arguments.begin(), arguments.end(),
                  [](const std::string& argument) { return argument == "-help" || argument == "--help" || argument == "-h"; })) {
    out << kUsage;
    return 0;
  }
  const absl::StatusOr<Request> request = Parse(arguments);
  if (!request.ok()) {
    errors << "Error: " << request.status().message() << "\n" << kUsage;
    return 1;
  }
  const absl::Status status = Run(*request, out);
  if (status.ok()) return 0;
  errors << "Error: " << status.message() << "\n";
  return 1;
}

}  // namespace headrace
