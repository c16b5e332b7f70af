// The plain fuzz program: every target, with inputs that it makes from a seed, or with files. See README.md.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "engine/base/hex.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/small_hashes.h"

#include "tests/fuzz/failing_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/mutation.h"

namespace headrace::fuzz {
namespace {

constexpr std::string_view kUsage =
    "Usage: fuzz [--target=NAME] [--seed=N] [--inputs=N] [--first=N] [--size-max=N] [--failures=DIR]\n"
    "       fuzz --target=NAME FILE...        runs files\n"
    "       fuzz --list                       names the targets\n"
    "       fuzz --write-corpus=DIR [--target=NAME]   writes what inputs are made of, a directory a target\n"
    "Without --target every target runs. --inputs is by default each target's own number, an eighth of it under a\n"
    "sanitizer; --first skips inputs.\n";

struct Options {
  std::string target;
  uint64_t seed = 1;
  std::optional<uint64_t> inputs;
  uint64_t first = 0;
  uint64_t size_max = 64 << 10;
  std::string failures = ".";
  std::string write_corpus;
  bool lists = false;
  std::vector<std::string> files;
};

bool ReadNumber(std::string_view text, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool ReadOption(std::string_view argument, Options& options) {
  const size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const std::string_view value = equals == argument.npos ? std::string_view() : argument.substr(equals + 1);
  if (argument == "--list") return options.lists = true;
  if (name == "--target") return !(options.target = value).empty();
  if (name == "--failures") return !(options.failures = value).empty();
  if (name == "--write-corpus") return !(options.write_corpus = value).empty();
  if (name == "--seed") return ReadNumber(value, options.seed);
  if (name == "--first") return ReadNumber(value, options.first);
  if (name == "--size-max") return ReadNumber(value, options.size_max);
  if (name == "--inputs") return ReadNumber(value, options.inputs.emplace());
  if (argument.starts_with('-')) return false;
  options.files.emplace_back(argument);
  return true;
}

// Input number `index` of a seed is the same whatever was run before it.
Bytes InputOf(const FuzzTarget& target, const std::vector<Bytes>& corpus, const Options& options, uint64_t index) {
  std::seed_seq seeds{static_cast<uint32_t>(options.seed), static_cast<uint32_t>(options.seed >> 32),
                      static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), Crc32c(AsBytes(target.name))};
  Random random(seeds);
  return MakeInput(random, corpus, options.size_max);
}

void RunOne(const FuzzTarget& target, const Bytes& input, const std::string& origin) {
  SetCurrentInput(target.name, input, origin);
  RunTarget(target, input);
}

void RunGenerated(const FuzzTarget& target, const Options& options) {
  const auto began = std::chrono::steady_clock::now();
  const std::vector<Bytes> corpus = target.corpus();
  const std::string name(target.name);
  for (size_t i = 0; i < corpus.size() && options.first == 0; ++i) {
    RunOne(target, corpus[i], name + ", entry " + std::to_string(i) + " of its corpus");
  }
  const uint64_t inputs = options.inputs.value_or(HasSanitizer() ? target.inputs / 8 : target.inputs);
  for (uint64_t index = options.first; index < options.first + inputs; ++index) {
    RunOne(target, InputOf(target, corpus, options, index),
           name + ", --seed=" + std::to_string(options.seed) + " --first=" + std::to_string(index) + " --inputs=1");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%s seed=%llu corpus=%zu inputs=%llu seconds=%.2f\n", name.c_str(),
              static_cast<unsigned long long>(options.seed), corpus.size(), static_cast<unsigned long long>(inputs),
              took.count());
  std::fflush(stdout);
}

bool RunFiles(const FuzzTarget& target, const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
      std::cerr << "Error: cannot read " << path << "\n";
      return false;
    }
    const Bytes input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    RunOne(target, input, path);
    std::cout << path << ": passed\n";
  }
  return true;
}

void WriteCorpus(const FuzzTarget& target, const std::string& directory) {
  const std::filesystem::path folder = std::filesystem::path(directory) / target.name;
  std::filesystem::create_directories(folder);
  for (const Bytes& entry : target.corpus()) {
    std::ofstream file(folder / HexEncode(ByteSpan(Sha256(entry)).first(8)), std::ios::binary);
    file.write(reinterpret_cast<const char*>(entry.data()), static_cast<std::streamsize>(entry.size()));
  }
}

int Run(const Options& options, const std::string& program) {
  const FuzzTarget* only = options.target.empty() ? nullptr : FindTarget(options.target);
  if (!options.target.empty() && only == nullptr) {
    std::cerr << "Error: there is no target " << options.target << "; fuzz --list names them.\n";
    return 1;
  }
  WatchForFailure(program, options.failures);
  if (!options.files.empty()) {
    if (only != nullptr) {
      const bool all_good = RunFiles(*only, options.files);
      ForgetCurrentInput();
      return all_good ? 0 : 1;
    }
    std::cerr << "Error: files need a --target.\n";
    return 1;
  }
  for (const FuzzTarget& target : AllTargets()) {
    if (only != nullptr && only != &target) continue;
    if (options.lists) {
      std::cout << target.name << "\n";
    } else if (!options.write_corpus.empty()) {
      WriteCorpus(target, options.write_corpus);
    } else {
      RunGenerated(target, options);
      ForgetCurrentInput();
    }
  }
  return 0;
}

}  // namespace
}  // namespace headrace::fuzz

int main(int argc, char** argv) {
  headrace::fuzz::Options options;
  for (int i = 1; i < argc; ++i) {
    if (headrace::fuzz::ReadOption(argv[i], options)) continue;
    std::cerr << "Error: cannot understand " << argv[i] << "\n" << headrace::fuzz::kUsage;
    return 1;
  }
  return headrace::fuzz::Run(options, argv[0]);
}
