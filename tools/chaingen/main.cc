// headrace-chaingen: a valid regtest chain of a chosen size and shape, as block files. See README.md.
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/crypto/sha256_path.h"
#include "tools/chaingen/bare_signing.h"
#include "tools/chaingen/chain_files.h"
#include "tools/chaingen/chain_generator.h"
#include "tools/chaingen/options.h"

namespace headrace::chaingen {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What making the chain took.
struct Effort {
  double wall_s = 0;
  double cpu_s = 0;
};

// One line every few seconds on the standard error, for those who wait.
class ProgressLine {
 public:
  explicit ProgressLine(uint32_t blocks) : blocks_(blocks), start_(Clock::now()), last_(start_) {}

  void Show(const ChainGenerator& generator) {
    constexpr double kEvery_s = 3;
    if (SecondsSince(last_) < kEvery_s) return;
    last_ = Clock::now();
    const ChainTotals& totals = generator.totals();
    std::fprintf(stderr, "height=%u of=%u bytes=%llu inputs=%llu inputs/s=%.0f\n", generator.height(), blocks_,
                 static_cast<unsigned long long>(totals.bytes), static_cast<unsigned long long>(totals.inputs),
                 static_cast<double>(totals.inputs) / SecondsSince(start_));
  }

 private:
  const uint32_t blocks_;
  const Clock::time_point start_;
  Clock::time_point last_;
};

absl::StatusOr<ChainFiles> OpenOutput(const Options& options) {
  return options.output.empty() ? ChainFiles::InFolder(options.output_dir) : ChainFiles::InFile(options.output);
}

// `before_tail` becomes the hash of the last block before the tail.
absl::Status WriteChain(const Options& options, ChainGenerator& generator, Hash256& before_tail) {
  HR_ASSIGN_OR_RETURN(ChainFiles files, OpenOutput(options));
  ProgressLine progress(options.shape.blocks);
  while (!generator.done()) {
    HR_RETURN_IF_ERROR(files.Append(generator.NextBlock()));
    if (generator.height() + options.shape.tail == options.shape.blocks) before_tail = generator.tip();
    progress.Show(generator);
  }
  return files.Close();
}

nlohmann::ordered_json ByScript(const std::array<uint64_t, kScriptKinds>& counts) {
  nlohmann::ordered_json json;
  for (uint32_t script = 0; script < kScriptKinds; ++script) json[std::string(NameOfScript(script))] = counts[script];
  return json;
}

nlohmann::ordered_json Expected(const ChainGenerator& generator, const SetDigest& digest, const Hash256& before_tail) {
  const ChainTotals& totals = generator.totals();
  nlohmann::ordered_json json;
  json["height"] = generator.height();
  json["bestblock"] = generator.tip().ToHex();
  json["beforetail"] = before_tail.ToHex();
  json["txouts"] = digest.txouts;
  json["total_amount"] = static_cast<double>(digest.total_amount) / static_cast<double>(kCoin);
  json["hash_serialized_3"] = digest.hash_serialized_3.ToHex();
  json["muhash"] = digest.muhash.ToHex();
  json["bytes"] = totals.bytes;
  json["transactions"] = totals.transactions;
  json["inputs"] = totals.inputs;
  json["outputs"] = totals.outputs;
  json["signatures"] = totals.signatures;
  json["commitments"] = totals.commitments;
  json["outputs_by_script"] = ByScript(totals.outputs_by_script);
  json["inputs_by_script"] = ByScript(totals.inputs_by_script);
  json["inputs_by_age"] = {{"same_block", totals.inputs_by_age[0]},
                           {"below_10", totals.inputs_by_age[1]},
                           {"below_100", totals.inputs_by_age[2]},
                           {"older", totals.inputs_by_age[3]}};
  return json;
}

absl::Status WriteExpected(const nlohmann::ordered_json& json, const std::string& path) {
  std::ofstream stream(path, std::ios::binary);
  stream << json.dump(1) << '\n';
  stream.flush();
  if (stream) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, " (", std::strerror(errno), "): choose another path or free some space."));
}

// What a node that has the chain must say.
void PrintEnd(const ChainGenerator& generator, const SetDigest& digest, const Hash256& before_tail) {
  std::printf("height=%u bestblock=%s beforetail=%s txouts=%llu hash_serialized_3=%s\n", generator.height(),
              generator.tip().ToHex().c_str(), before_tail.ToHex().c_str(),
              static_cast<unsigned long long>(digest.txouts), digest.hash_serialized_3.ToHex().c_str());
}

// CPU seconds that libsecp256k1 alone would take for the chain's signatures, those of taproot being Schnorr's.
double BareSecondsFor(const ChainTotals& totals) {
  const BareSigning bare = MeasureBareSigning();
  const uint64_t schnorr = totals.inputs_by_script[static_cast<size_t>(LockKind::kP2trKey)] +
                           totals.inputs_by_script[static_cast<size_t>(LockKind::kP2trScript)];
  return static_cast<double>(schnorr) * bare.schnorr_s +
         static_cast<double>(totals.signatures - schnorr) * bare.ecdsa_s;
}

void PrintRates(const ChainTotals& totals, const Effort& effort, uint32_t threads) {
  const auto per = [](uint64_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
  };
  std::printf(
      "blocks=%llu transactions=%llu inputs=%llu outputs=%llu signatures=%llu bytes=%llu seconds=%.2f "
      "blocks/s=%.0f signatures/s=%.0f MB/s=%.2f\n",
      static_cast<unsigned long long>(totals.blocks), static_cast<unsigned long long>(totals.transactions),
      static_cast<unsigned long long>(totals.inputs), static_cast<unsigned long long>(totals.outputs),
      static_cast<unsigned long long>(totals.signatures), static_cast<unsigned long long>(totals.bytes), effort.wall_s,
      per(totals.blocks, effort.wall_s), per(totals.signatures, effort.wall_s), per(totals.bytes, effort.wall_s) / 1e6);
  // Making a whole chain beside signing alone, both also by CPU time: on a busy machine wall time says little.
  const double bare_s = BareSecondsFor(totals);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf(
      "inputs/s=%.0f inputs/cpu-second=%.0f bare-inputs/cpu-second=%.0f threads=%u cpu-seconds=%.2f "
      "peak-memory-MB=%ld\n",
      per(totals.inputs, effort.wall_s), per(totals.inputs, effort.cpu_s), per(totals.inputs, bare_s), threads,
      effort.cpu_s, usage.ru_maxrss / 1024);
}

absl::Status Run(std::span<const char* const> arguments) {
  HR_RETURN_IF_ERROR(ChooseSha256PathByEnvironment().status());
  HR_ASSIGN_OR_RETURN(const Options options, ParseOptions(arguments));
  if (options.wants_help) {
    std::fputs(UsageText().c_str(), stdout);
    return absl::OkStatus();
  }
  const Clock::time_point start = Clock::now();
  ChainGenerator generator(options.shape);
  Hash256 before_tail;
  HR_RETURN_IF_ERROR(WriteChain(options, generator, before_tail));
  const Effort effort{SecondsSince(start), ProcessSeconds()};
  const SetDigest digest = generator.DigestOfUnspent();
  if (!options.expected.empty()) {
    HR_RETURN_IF_ERROR(WriteExpected(Expected(generator, digest, before_tail), options.expected));
  }
  PrintEnd(generator, digest, before_tail);
  PrintRates(generator.totals(), effort, options.shape.threads);
  return absl::OkStatus();
}

}  // namespace
}  // namespace headrace::chaingen

int main(int argc, char** argv) {
  const absl::Status status = headrace::chaingen::Run({argv + 1, static_cast<size_t>(argc - 1)});
  if (status.ok()) return 0;
  std::fprintf(stderr, "Error: %s\n", std::string(status.message()).c_str());
  return 1;
}
