// headrace-chaingen: a valid regtest chain of a chosen size and shape, as a framed block file. See README.md.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"
#include "engine/crypto/sha256_path.h"
#include "tools/chaingen/chain_generator.h"
#include "tools/chaingen/genesis.h"
#include "tools/chaingen/options.h"

namespace headrace::chaingen {
namespace {

absl::Status WriteError(const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, " (", std::strerror(errno), "): choose another path or free some space."));
}

absl::Status WriteFrame(const Bytes& block, const std::string& path, std::FILE* file) {
  uint8_t frame[8];
  StoreLittle(frame, kRegtestMagic);
  StoreLittle(frame + 4, static_cast<uint32_t>(block.size()));
  const bool is_written = std::fwrite(frame, sizeof(frame), 1, file) == 1 &&
                          std::fwrite(block.data(), block.size(), 1, file) == 1;
  return is_written ? absl::OkStatus() : WriteError(path);
}

absl::Status WriteChain(ChainGenerator& generator, const std::string& path) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  if (file == nullptr) return WriteError(path);
  while (!generator.done()) HR_RETURN_IF_ERROR(WriteFrame(generator.NextBlock(), path, file.get()));
  return std::fflush(file.get()) == 0 ? absl::OkStatus() : WriteError(path);
}

absl::Status WriteExpected(const ChainGenerator& generator, const std::string& path) {
  const SetDigest digest = generator.DigestOfUnspent();
  const ChainTotals& totals = generator.totals();
  nlohmann::ordered_json json;
  json["height"] = generator.height();
  json["bestblock"] = generator.tip().ToHex();
  json["txouts"] = digest.txouts;
  json["total_amount"] = static_cast<double>(digest.total_amount) / static_cast<double>(kCoin);
  json["hash_serialized_3"] = digest.hash_serialized_3.ToHex();
  json["muhash"] = digest.muhash.ToHex();
  json["bytes"] = totals.bytes;
  json["transactions"] = totals.transactions;
  json["inputs"] = totals.inputs;
  json["outputs"] = totals.outputs;
  json["signatures"] = totals.signatures;
  std::ofstream stream(path, std::ios::binary);
  stream << json.dump(1) << '\n';
  stream.flush();
  return stream ? absl::OkStatus() : WriteError(path);
}

void PrintRates(const ChainTotals& totals, double seconds) {
  const double rate = seconds > 0 ? 1 / seconds : 0;
  std::printf("blocks=%llu transactions=%llu inputs=%llu outputs=%llu signatures=%llu bytes=%llu seconds=%.2f "
              "blocks/s=%.0f signatures/s=%.0f MB/s=%.2f\n",
              static_cast<unsigned long long>(totals.blocks), static_cast<unsigned long long>(totals.transactions),
              static_cast<unsigned long long>(totals.inputs), static_cast<unsigned long long>(totals.outputs),
              static_cast<unsigned long long>(totals.signatures), static_cast<unsigned long long>(totals.bytes), seconds,
              totals.blocks * rate, totals.signatures * rate, totals.bytes * rate / 1e6);
}

absl::Status Run(std::span<const char* const> arguments) {
  HR_RETURN_IF_ERROR(ChooseSha256PathByEnvironment().status());
  HR_ASSIGN_OR_RETURN(const Options options, ParseOptions(arguments));
  if (options.wants_help) {
    std::fputs(UsageText().c_str(), stdout);
    return absl::OkStatus();
  }
  const auto start = std::chrono::steady_clock::now();
  ChainGenerator generator(options.shape);
  HR_RETURN_IF_ERROR(WriteChain(generator, options.output));
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!options.expected.empty()) HR_RETURN_IF_ERROR(WriteExpected(generator, options.expected));
  PrintRates(generator.totals(), elapsed.count());
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
