#include "bench/sync/sync_options.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr Mode kModes[] = {Mode::kIbd, Mode::kImport, Mode::kReindexChainstate};
constexpr uint32_t kPeersMax = 16;
constexpr uint32_t kParMax = 1024;
constexpr uint32_t kDbcacheMin = 4;
constexpr uint32_t kDbcacheMax = 1 << 20;

absl::Status WrongValue(std::string_view name, std::string_view value, const std::string& wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", std::string(name), "=", std::string(value), " is wrong: give ", wanted, "."));
}

template <typename T>
absl::Status ParseNumber(std::string_view name, std::string_view text, uint64_t least, uint64_t most, T& target) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return WrongValue(name, text, absl::StrCat("a whole number from ", least, " to ", most));
  }
  target = static_cast<T>(number);
  return absl::OkStatus();
}

absl::Status ParseNumbers(std::string_view name, std::string_view text, uint64_t least, uint64_t most,
                          std::vector<uint32_t>& target) {
  target.clear();
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(std::string(text), ','))) {
    HR_RETURN_IF_ERROR(ParseNumber(name, part, least, most, target.emplace_back()));
  }
  return absl::OkStatus();
}

absl::Status ParseModes(std::string_view text, std::vector<Mode>& modes) {
  modes.clear();
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(std::string(text), ','))) {
    const auto* const mode =
        std::find_if(std::begin(kModes), std::end(kModes), [&](Mode m) { return NameOf(m) == part; });
    if (mode == std::end(kModes)) return WrongValue("mode", part, "ibd, import or reindex-chainstate");
    modes.push_back(*mode);
  }
  return absl::OkStatus();
}

absl::Status ParsePostures(std::string_view text, std::vector<std::string>& postures) {
  postures = absl::StrSplit(std::string(text), ',');
  for (const std::string& posture : postures) {
    const bool is_hash = posture.size() == 64 && posture.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (posture != "tail" && posture != "0" && !is_hash) {
      return WrongValue("assumevalid", posture,
                        "0 (every script), tail (the last block before the chain's tail) or a hash");
    }
  }
  return absl::OkStatus();
}

absl::Status ParseText(std::string_view name, std::string_view value, std::string& target) {
  if (value.empty()) return WrongValue(name, value, "a path");
  target = std::string(value);
  return absl::OkStatus();
}

absl::Status ParseOne(std::string_view name, std::string_view value, SyncOptions& options) {
  if (name == "chain") return ParseText(name, value, options.chain);
  if (name == "expected") return ParseText(name, value, options.expected);
  if (name == "node") return ParseText(name, value, options.node);
  if (name == "seed-data") return ParseText(name, value, options.seed_data);
  if (name == "work") return ParseText(name, value, options.work);
  if (name == "json") return ParseText(name, value, options.json);
  if (name == "vs") {
    options.versus = absl::StrSplit(std::string(value), ' ', absl::SkipEmpty());
    return options.versus.empty() ? WrongValue(name, value, "a program and its own options") : absl::OkStatus();
  }
  if (name == "mode") return ParseModes(value, options.modes);
  if (name == "assumevalid") return ParsePostures(value, options.assumevalid);
  if (name == "peers") return ParseNumbers(name, value, 1, kPeersMax, options.peers);
  if (name == "par") return ParseNumbers(name, value, 0, kParMax, options.par);
  if (name == "dbcache") return ParseNumbers(name, value, kDbcacheMin, kDbcacheMax, options.dbcache);
  if (name == "repetitions") return ParseNumber(name, value, 1, 1000, options.repetitions);
  if (name == "deadline") return ParseNumber(name, value, 1, 86'400, options.deadline_s);
  if (name == "slow-peer") return ParseNumber(name, value, 1, UINT32_MAX, options.slow_peer_bytes_per_s);
  return absl::InvalidArgumentError(
      absl::StrCat("There is no option --", std::string(name), "; --help lists those there are."));
}

}  // namespace

std::string_view NameOf(Mode mode) {
  switch (mode) {
    case Mode::kIbd:
      return "ibd";
    case Mode::kImport:
      return "import";
    case Mode::kReindexChainstate:
      return "reindex-chainstate";
  }
  return "";
}

absl::StatusOr<SyncOptions> ParseSyncOptions(std::span<const char* const> arguments,
                                             const std::string& program_directory) {
  SyncOptions options;
  options.node = program_directory + "/headraced";
  options.work = (std::filesystem::temp_directory_path() / "headrace-bench-sync").string();
  for (const std::string_view argument : arguments) {
    if (argument == "--help") {
      options.wants_help = true;
      return options;
    }
    const size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", std::string(argument), "\" is no option: write --name=value; --help lists the names."));
    }
    HR_RETURN_IF_ERROR(ParseOne(argument.substr(2, equals - 2), argument.substr(equals + 1), options));
  }
  if (options.chain.empty() || options.expected.empty()) {
    return absl::InvalidArgumentError(
        "Give --chain=PATH and --expected=FILE: what headrace-chaingen wrote with --output or --output-dir and with "
        "--expected.");
  }
  return options;
}

std::string SyncUsage() {
  return "bench_sync syncs fresh nodes with a generated regtest chain and measures what it takes.\n"
         "\n"
         "  --chain=PATH          block file, or folder of blk*.dat, made by headrace-chaingen\n"
         "  --expected=FILE       its facts (headrace-chaingen --expected); a node that ends elsewhere is an error\n"
         "  --mode=M,...          ibd (from seeding nodes over loopback), import (-loadblock), reindex-chainstate "
         "(ibd)\n"
         "  --assumevalid=A,...   0 (every script), tail (the last block before the chain's tail) or a hash (tail,0)\n"
         "  --peers=N,...         seeding nodes, in ibd (1)\n"
         "  --par=N,...           -par of the node (0)\n"
         "  --dbcache=N,...       -dbcache of the node (450)\n"
         "  --repetitions=N       runs of each, interleaved; the table shows medians (5)\n"
         "  --vs='COMMAND'        another node's program and options of its own, run in turn with the first\n"
         "  --slow-peer=BYTES     the first peer gives at most so many bytes a second\n"
         "  --deadline=SECONDS    of one run (1800)\n"
         "  --node=PATH           the headraced that seeds and is measured (beside this program)\n"
         "  --seed-data=FOLDER    a seeding node's data directory, made if there is none yet and kept for other runs; "
         "without\n"
         "                        it the chain is imported each time\n"
         "  --work=FOLDER         for data directories (headrace-bench-sync in the system's temporary directory); "
         "emptied\n"
         "                        before and after, so it must be this program's alone\n"
         "  --json=FILE           every run and all medians\n"
         "\n"
         "Lists are separated by commas; all combinations are run. The exit status is 1 if any run failed.\n";
}

absl::StatusOr<Chain> ReadChain(const SyncOptions& options) {
  Chain chain;
  std::error_code error;
  if (std::filesystem::is_directory(options.chain, error)) {
    for (const auto& entry : std::filesystem::directory_iterator(options.chain, error)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("blk") && name.ends_with(".dat")) chain.files.push_back(entry.path().string());
    }
    std::sort(chain.files.begin(), chain.files.end());
  } else if (std::filesystem::exists(options.chain, error)) {
    chain.files.push_back(options.chain);
  }
  if (chain.files.empty()) {
    return absl::NotFoundError(absl::StrCat(options.chain, " has no block files: make some with headrace-chaingen."));
  }
  std::ifstream stream(options.expected);
  const nlohmann::json facts = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!facts.is_object() || !facts.contains("bestblock") || !facts.contains("hash_serialized_3")) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.expected, " does not hold a chain's facts: write them with headrace-chaingen --expected."));
  }
  chain.height = facts.value("height", 0u);
  chain.best_block = facts.value("bestblock", "");
  chain.before_tail = facts.value("beforetail", "");
  chain.hash_serialized_3 = facts.value("hash_serialized_3", "");
  chain.bytes = facts.value("bytes", uint64_t{0});
  chain.transactions = facts.value("transactions", uint64_t{0});
  chain.inputs = facts.value("inputs", uint64_t{0});
  return chain;
}

}  // namespace headrace::bench
