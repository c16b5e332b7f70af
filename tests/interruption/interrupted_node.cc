#include "tests/interruption/interrupted_node.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace headrace::testing {
namespace {

// A moment that does not come is no failure: the kill then falls where the node is.
constexpr double kMomentSecondsMax = 0.8;
constexpr double kExitSecondsMax = 30;
constexpr double kEndSecondsMax = 120;

bool Says(std::string_view output, std::string_view text) { return output.find(text) != std::string_view::npos; }

// Where the last line that contains `text` begins to say it.
size_t LastSaid(std::string_view output, std::string_view text) {
  const size_t at = output.rfind(text);
  return at == std::string_view::npos ? 0 : at + 1;
}

// The numbers behind every `text`.
std::vector<uint32_t> NumbersAfter(const std::string& output, const std::string& text) {
  std::vector<uint32_t> numbers;
  for (size_t at = output.find(text); at != std::string::npos; at = output.find(text, at + 1)) {
    numbers.push_back(static_cast<uint32_t>(std::strtoul(output.c_str() + at + text.size(), nullptr, 10)));
  }
  return numbers;
}

}  // namespace

uint32_t KillsPerPhase(uint32_t kills) {
  const char* wish = std::getenv("HEADRACE_KILLS");
  return wish == nullptr ? kills : static_cast<uint32_t>(std::strtoul(wish, nullptr, 10));
}

uint64_t RandomSeed() {
  const char* wish = std::getenv("HEADRACE_SEED");
  return wish == nullptr ? std::random_device()() : std::strtoull(wish, nullptr, 10);
}

KillHistogram::~KillHistogram() {
  uint32_t all = 0;
  for (const auto& [hit, count] : counts_) all += count;
  std::printf("%s: %u kills\n", phase_.c_str(), all);
  for (const auto& [hit, count] : counts_) std::printf("  %5u  %s\n", count, hit.c_str());
  for (const auto& [mended, count] : mended_) std::printf("  %5u  starts: %s\n", count, mended.c_str());
}

void KillHistogram::AddStart(const std::string& output) {
  for (const char* mended :
       {"recovering the unspent set", "records behind the last sync point", "blocks taken up from the block files",
        "deleting unfinished file", "block disconnected"}) {
    if (Says(output, mended)) ++mended_[mended];
  }
}

uint32_t KillHistogram::Count(const std::string& part) const {
  uint32_t sum = 0;
  for (const auto& [hit, count] : counts_) sum += Says(hit, part) ? count : 0;
  return sum;
}

InterruptedNode::InterruptedNode(const std::map<Hash256, Bytes>& chain, KillHistogram& histogram, uint64_t seed)
    : chain_(chain), histogram_(histogram), seed_(seed), random_(seed) {
  // Watched before the node makes them.
  for (const char* name : {"/coins", "/blocks"}) std::filesystem::create_directories(node_.network_directory() + name);
}

InterruptedNode::~InterruptedNode() {
  if (!::testing::Test::HasFailure()) return;
  const std::string kept = node_.directory() + "-kept";
  std::error_code ignored;
  std::filesystem::rename(node_.directory(), kept, ignored);
  std::printf("the directory of the failure is kept: %s (HEADRACE_SEED=%llu)\n", kept.c_str(),
              static_cast<unsigned long long>(seed_));
}

std::string InterruptedNode::Where() const {
  return absl::StrCat("HEADRACE_SEED=", seed_, " kill ", kills_, " directory ", node_.directory());
}

bool InterruptedNode::Kill(const std::vector<std::string>& options, const KillMoment& moment) {
  return Run(options, moment, nullptr);
}

bool InterruptedNode::KillWhileStopping(const std::vector<std::string>& options, const KillMoment& moment,
                                        const KillMoment& stop_moment) {
  return Run(options, moment, &stop_moment);
}

bool InterruptedNode::Run(const std::vector<std::string>& options, const KillMoment& moment,
                          const KillMoment* stop_moment) {
  ++kills_;
  std::vector<std::string> all = options;
  // Both ways to the disk are interrupted.
  all.push_back(random_() % 3 == 0 ? "-filebackend=pread" : "-filebackend=auto");
  SCOPED_TRACE(Where() + " at " + moment.Description() +
               (stop_moment ? ", stopping " + stop_moment->Description() : ""));
  DirectoryEvents events({node_.network_directory() + "/coins", node_.network_directory() + "/blocks"});
  ChildProcess& process = node_.Start(all);
  WaitForMoment(moment, events, process, kMomentSecondsMax);
  if (stop_moment != nullptr) {
    process.Signal(SIGTERM);
    WaitForMoment(*stop_moment, events, process, kMomentSecondsMax);
  }
  const bool had_ended = process.WaitForExit(0).has_value();
  process.Signal(SIGKILL);
  const std::optional<int> status = process.WaitForExit(kExitSecondsMax);
  const std::string output = process.Output();
  // A stop that comes before the handlers stand ends the process by the signal itself.
  const bool was_too_early = stop_moment != nullptr && output.empty() && status == 128 + SIGTERM;
  EXPECT_TRUE(was_too_early || status == 0 || (!had_ended && status == 128 + SIGKILL))
      << status.value_or(-1) << process.Everything();
  ExpectStartIsTold(output);
  ExpectNothingLost(output);
  histogram_.AddStart(output);
  histogram_.Add(had_ended ? "ended before the kill" : HitBy(output));
  return !had_ended;
}

void InterruptedNode::ExpectStartIsTold(const std::string& output) const {
  const size_t began = output.find("the unspent set begins at height=");
  if (began == std::string::npos || manifest_is_forgotten_) return;
  const std::vector<uint32_t> starts = NumbersAfter(output, "the unspent set begins at height=");
  EXPECT_EQ(starts.front(), durable_.lowest_height()) << "a start begins where the manifest says\n" << output;
  const std::string recovering = absl::StrCat("recovering the unspent set from_height=", durable_.lowest_height(),
                                              " to_height=", durable_.highest_height());
  EXPECT_EQ(Says(output, recovering), durable_.lowest_height() < durable_.highest_height()) << recovering << "\n"
                                                                                            << output;
  for (const std::string& name : durable_.unnamed_coin_files) {
    EXPECT_TRUE(Says(output, "deleting unfinished file=" + name)) << name << "\n" << output;
  }
}

void InterruptedNode::ExpectNothingLost(const std::string& output) {
  DurableState now = ReadDurableState(node_.network_directory(), chain_);
  EXPECT_TRUE(std::includes(now.blocks.begin(), now.blocks.end(), durable_.blocks.begin(), durable_.blocks.end()))
      << "blocks that stood whole in the block files are gone\n"
      << output;
  if (!lower_heights_are_allowed_) {
    if (!manifest_is_forgotten_) {
      EXPECT_GE(now.lowest_height(), durable_.lowest_height()) << output;
    }
    for (const uint32_t published : NumbersAfter(output, "checkpoint published height=")) {
      EXPECT_GE(now.lowest_height(), published) << output;
    }
  }
  durable_ = std::move(now);
  manifest_is_forgotten_ = false;
}

std::string InterruptedNode::HitBy(const std::string& output) const {
  if (!Says(output, "headrace ")) return "before the first line";
  const bool is_stopping = Says(output, "[node:info] stopping\n");
  const std::string stage = durable_.CheckpointStage();
  // Files that a former kill left are deleted before this line; until then they say nothing about this run.
  if (!Says(output, "the unspent set begins at") && !is_stopping) {
    return Says(output, "deleting unfinished") ? "start, leftovers deleted" : "start";
  }
  if (is_stopping) return stage.empty() ? "shutdown" : "shutdown, checkpoint: " + stage;
  if (!stage.empty() && stage != "segments") return "checkpoint: " + stage;
  if (Says(output, "recovering the unspent set") && !Says(output, "the unspent set is recovered"))
    return "recovery replay";
  const size_t disconnected = LastSaid(output, "block disconnected");
  if (disconnected != 0) {
    return output.find('\n', disconnected) == output.size() - 1 ? "disconnecting" : "running after disconnecting";
  }
  return stage.empty() ? "running" : "running, segments written";
}

void InterruptedNode::ExpectEnd(std::vector<std::string> options, uint32_t height,
                                const std::optional<std::string>& hash_serialized_3) {
  SCOPED_TRACE(Where() + " to the end");
  options.push_back(absl::StrCat("-stopatheight=", height));
  ASSERT_EQ(node_.RunToEnd(options, kEndSecondsMax), 0) << node_.process().Everything();
  const std::string output = node_.process().Output();
  ExpectStartIsTold(output);
  ExpectNothingLost(output);
  histogram_.AddStart(output);
  const nlohmann::json coins = node_.Coins();
  EXPECT_EQ(coins.value("height", 0u), height);
  if (hash_serialized_3) {
    EXPECT_EQ(coins.value("hash_serialized_3", ""), *hash_serialized_3);
  }
  EXPECT_TRUE(durable_.unnamed_coin_files.empty()) << "a clean stop leaves no file that nothing names";
  const ProgramResult verified = RunProgram({Program("headrace-inspect"), "verify", node_.network_directory()}, 60);
  EXPECT_EQ(verified.status, 0) << verified.output << verified.errors;
}

}  // namespace headrace::testing
