#include "tools/chaingen/options.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <thread>

#include "absl/strings/str_cat.h"

namespace headrace::chaingen {
namespace {

constexpr uint32_t kThreadsMax = 256;

absl::Status WrongValue(std::string_view name, std::string_view value, std::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("--", std::string(name), "=", std::string(value), " is wrong: give ",
                                                 std::string(expected), "."));
}

absl::Status ParseNumber(std::string_view name, std::string_view text, uint64_t least, uint64_t most, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return WrongValue(name, text, absl::StrCat("a whole number from ", least, " to ", most));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ParseInto(std::string_view name, std::string_view text, uint64_t least, uint64_t most, T& target) {
  uint64_t number = 0;
  HR_RETURN_IF_ERROR(ParseNumber(name, text, least, most, number));
  target = static_cast<T>(number);
  return absl::OkStatus();
}

// A mean from 1 to 100 with up to three decimals, kept in thousandths.
absl::Status ParseMean(std::string_view name, std::string_view text, uint32_t& per_mille) {
  const size_t point = std::min(text.find('.'), text.size());
  std::string decimals(text.substr(std::min(point + 1, text.size())));
  const bool has_empty_decimals = point != text.size() && decimals.empty();
  uint64_t whole = 0, fraction = 0;
  const bool is_short = decimals.size() <= 3;
  decimals.resize(3, '0');
  if (has_empty_decimals || !is_short || !ParseNumber(name, text.substr(0, point), 1, 100, whole).ok() ||
      !ParseNumber(name, decimals, 0, 999, fraction).ok() || whole * 1000 + fraction > 100'000) {
    return WrongValue(name, text, "a mean from 1 to 100 with at most three decimals");
  }
  per_mille = static_cast<uint32_t>(whole * 1000 + fraction);
  return absl::OkStatus();
}

absl::Status ParseEra(std::string_view text, Era& era) {
  if (text == "all") era = Era::kAll;
  else if (text == "2012") era = Era::k2012;
  else if (text == "2017") era = Era::k2017;
  else if (text == "2024") era = Era::k2024;
  else return WrongValue("era", text, "one of all, 2012, 2017, 2024");
  return absl::OkStatus();
}

absl::Status ParseOne(std::string_view name, std::string_view value, Options& options) {
  ChainShape& shape = options.shape;
  if (name == "output" || name == "expected") {
    if (value.empty()) return WrongValue(name, value, "the path of a file to write");
    (name == "output" ? options.output : options.expected) = std::string(value);
    return absl::OkStatus();
  }
  if (name == "blocks") return ParseInto(name, value, 1, 500'000, shape.blocks);
  if (name == "transactions-per-block") return ParseInto(name, value, 0, 20'000, shape.transactions_per_block);
  if (name == "seed") return ParseInto(name, value, 0, UINT64_MAX, shape.seed);
  if (name == "inputs") return ParseMean(name, value, shape.inputs_mean_per_mille);
  if (name == "outputs") return ParseMean(name, value, shape.outputs_mean_per_mille);
  if (name == "tail") return ParseInto(name, value, 0, 500'000, shape.tail);
  if (name == "era") return ParseEra(value, shape.era);
  if (name == "keys") return ParseInto(name, value, 3, 1'000'000, shape.keys);
  if (name == "threads") return ParseInto(name, value, 1, kThreadsMax, shape.threads);
  return absl::InvalidArgumentError(
      absl::StrCat("There is no option --", std::string(name), "; --help lists those there are."));
}

}  // namespace

absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments) {
  Options options;
  options.shape.threads = std::clamp(std::thread::hardware_concurrency(), 1u, kThreadsMax);
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
  if (options.output.empty()) {
    return absl::InvalidArgumentError("--output=FILE is missing: say where the chain is to be written.");
  }
  if (options.shape.tail > options.shape.blocks) {
    return absl::InvalidArgumentError("--tail is larger than --blocks: the tail is a part of the chain.");
  }
  return options;
}

std::string UsageText() {
  return "headrace-chaingen makes a valid regtest chain, the same from the same seed, as a framed block file.\n"
         "\n"
         "  --output=FILE                the chain: magic, size and raw block, genesis first\n"
         "  --expected=FILE              the unspent set's digests and the totals, as JSON\n"
         "  --blocks=N                   height of the last block (300)\n"
         "  --transactions-per-block=N   as far as coins and the block's limits allow (100)\n"
         "  --inputs=MEAN                inputs of a transaction, 1 to 100 (2)\n"
         "  --outputs=MEAN               outputs of a transaction, 1 to 100 (2.2)\n"
         "  --tail=N                     blocks at the end that hold only a coinbase (0)\n"
         "  --era=all|2012|2017|2024     mix of script kinds (all)\n"
         "  --keys=N                     different keys (1024)\n"
         "  --seed=N                     (1)\n"
         "  --threads=N                  does not change the bytes (all cores)\n";
}

}  // namespace headrace::chaingen
