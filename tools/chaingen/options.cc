#include "tools/chaingen/options.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"

namespace headrace::chaingen {
namespace {

constexpr uint32_t kThreadsMax = 256;
constexpr uint32_t kBlockWeightMax = 4'000'000;

absl::Status WrongValue(std::string_view name, std::string_view value, std::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("--", std::string(name), "=", std::string(value), " is wrong: give ", std::string(expected), "."));
}

absl::Status ParseNumber(std::string_view name, std::string_view text, uint64_t least, uint64_t most,
                         uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return WrongValue(name, text, absl::StrCat("a whole number from ", least, " to ", most));
  }
  return absl::OkStatus();
}

// The number inside an optional one.
template <typename T>
T& ValueIn(T& target) {
  return target;
}
template <typename T>
T& ValueIn(std::optional<T>& target) {
  return target.emplace();
}

template <typename T>
absl::Status ParseInto(std::string_view name, std::string_view text, uint64_t least, uint64_t most, T& target) {
  uint64_t number = 0;
  HR_RETURN_IF_ERROR(ParseNumber(name, text, least, most, number));
  auto& value = ValueIn(target);
  value = static_cast<std::remove_reference_t<decltype(value)>>(number);
  return absl::OkStatus();
}

// A number with up to three decimals, in thousandths; nothing when it is none, or its whole part is out of range.
std::optional<uint32_t> Thousandths(std::string_view text, uint64_t least, uint64_t most) {
  const size_t point = std::min(text.find('.'), text.size());
  std::string decimals(text.substr(std::min(point + 1, text.size())));
  const bool has_empty_decimals = point != text.size() && decimals.empty();
  const bool is_short = decimals.size() <= 3;
  decimals.resize(3, '0');
  uint64_t whole = 0, fraction = 0;
  if (has_empty_decimals || !is_short || !ParseNumber("", text.substr(0, point), least, most, whole).ok() ||
      !ParseNumber("", decimals, 0, 999, fraction).ok() || whole * 1000 + fraction > most * 1000) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(whole * 1000 + fraction);
}

absl::Status ParseMean(std::string_view name, std::string_view text, std::optional<uint32_t>& per_mille) {
  per_mille = Thousandths(text, 1, 100);
  return per_mille ? absl::OkStatus() : WrongValue(name, text, "a mean from 1 to 100 with at most three decimals");
}

absl::Status ParseEra(std::string_view text, Era& era) {
  if (text == "all")
    era = Era::kAll;
  else if (text == "2012")
    era = Era::k2012;
  else if (text == "2017")
    era = Era::k2017;
  else if (text == "2024")
    era = Era::k2024;
  else
    return WrongValue("era", text, "one of all, 2012, 2017, 2024");
  return absl::OkStatus();
}

// SCRIPT:PERCENT, separated by commas. Said again, the option adds to what was said before.
absl::Status ParseShares(std::string_view text, std::vector<ScriptShare>& shares) {
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string_view part = text.substr(at, end - at);
    const size_t colon = std::min(part.find(':'), part.size());
    const std::optional<uint32_t> script = ScriptNamed(part.substr(0, colon));
    const std::optional<uint32_t> share = Thousandths(part.substr(std::min(colon + 1, part.size())), 0, 100);
    if (!script || !share) {
      return WrongValue("share", text,
                        "SCRIPT:PERCENT, separated by commas, with at most three decimals; --help lists the scripts");
    }
    shares.push_back({*script, *share});
    at = end + 1;
  }
  return absl::OkStatus();
}

absl::Status ParseOne(std::string_view name, std::string_view value, Options& options) {
  ChainShape& shape = options.shape;
  if (name == "output" || name == "output-dir" || name == "expected") {
    if (value.empty()) return WrongValue(name, value, "the path of what is to be written");
    (name == "output"     ? options.output
     : name == "expected" ? options.expected
                          : options.output_dir) = std::string(value);
    return absl::OkStatus();
  }
  if (name == "blocks") return ParseInto(name, value, 1, 500'000, shape.blocks);
  if (name == "transactions-per-block") return ParseInto(name, value, 0, 20'000, shape.transactions_per_block);
  if (name == "seed") return ParseInto(name, value, 0, UINT64_MAX, shape.seed);
  if (name == "inputs") return ParseMean(name, value, shape.inputs_mean_per_mille);
  if (name == "outputs") return ParseMean(name, value, shape.outputs_mean_per_mille);
  if (name == "tail-blocks" || name == "tail") return ParseInto(name, value, 0, 500'000, shape.tail);
  if (name == "block-weight") return ParseInto(name, value, 10'000, kBlockWeightMax, shape.block_weight_max);
  if (name == "growth") return ParseInto(name, value, 0, 100'000, shape.growth);
  if (name == "share") return ParseShares(value, shape.shares);
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
  if (options.output.empty() == options.output_dir.empty()) {
    return absl::InvalidArgumentError(
        "Give either --output=FILE or --output-dir=FOLDER: say where the chain is to be written.");
  }
  if (options.shape.tail > options.shape.blocks) {
    return absl::InvalidArgumentError("--tail-blocks is larger than --blocks: the tail is a part of the chain.");
  }
  const absl::Status shares = WeightsWith(ProfileOf(options.shape.era).scripts, options.shape.shares).status();
  if (!shares.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("--share cannot be met: ", shares.message(), "."));
  }
  return options;
}

std::string UsageText() {
  std::string scripts;
  for (uint32_t script = 0; script < kScriptKinds; ++script) {
    absl::StrAppend(&scripts, script % 5 == 0 ? "\n    " : " ", std::string(NameOfScript(script)));
  }
  return absl::StrCat(
      "headrace-chaingen makes a valid regtest chain, the same from the same seed, as block files.\n"
      "\n"
      "  --output=FILE                the chain: magic, size and raw block, genesis first\n"
      "  --output-dir=FOLDER          the same as blk00000.dat, blk00001.dat, ... of at most 128 MiB\n"
      "  --expected=FILE              the unspent set's digests and the totals, as JSON\n"
      "  --era=all|2012|2017|2024     what blocks look like (all: every kind of script in small blocks)\n"
      "  --blocks=N                   height of the last block (300)\n"
      "  --tail-blocks=N              blocks at the end that hold only a coinbase (0); more than 2016 for assumevalid\n"
      "  --seed=N                     (1)\n"
      "  --threads=N                  does not change the bytes (all cores)\n"
      "\n"
      "What is not given is as in the era:\n"
      "\n"
      "  --transactions-per-block=N   as far as coins and the block's limits allow\n"
      "  --block-weight=N             at most, up to 4000000\n"
      "  --inputs=MEAN                inputs of a transaction, 1 to 100\n"
      "  --outputs=MEAN               outputs of a transaction, 1 to 100\n"
      "  --growth=N                   of the unspent set, coins a block\n"
      "  --share=SCRIPT:PERCENT,...   of all outputs; the other scripts divide the rest as they did before\n"
      "  --keys=N                     different keys (1024)\n"
      "\n"
      "Scripts:",
      scripts, "\n");
}

}  // namespace headrace::chaingen
