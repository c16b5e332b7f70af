#include "tools/headraced/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/base/log.h"

namespace headrace {
namespace {

constexpr int64_t kSampleIntervalNs = 100'000'000;

bool IsAtTip(const NodeStatus& status) {
  return status.header_height > 0 && status.applied_height >= status.header_height;
}

std::string TimeLeft(const std::optional<int64_t>& seconds) {
  if (!seconds) return "?";
  if (*seconds >= 86'400) return fmt::format("{}d{:02}h", *seconds / 86'400, *seconds / 3600 % 24);
  if (*seconds >= 3600) return fmt::format("{}h{:02}m", *seconds / 3600, *seconds / 60 % 60);
  return fmt::format("{}m{:02}s", *seconds / 60, *seconds % 60);
}

size_t TerminalColumns(std::FILE* terminal) {
  winsize size{};
  if (ioctl(fileno(terminal), TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

// The stages that took anything worth saying, the busiest first.
std::string BusyWords(const ProgressRates& rates) {
  constexpr double kWorthSaying = 0.005;
  std::vector<size_t> kinds(kSpanKindCount);
  std::iota(kinds.begin(), kinds.end(), size_t{0});
  std::stable_sort(kinds.begin(), kinds.end(), [&](size_t a, size_t b) { return rates.cores_busy[a] > rates.cores_busy[b]; });
  std::string words;
  for (const size_t kind : kinds) {
    if (rates.cores_busy[kind] < kWorthSaying) break;
    words += fmt::format("{}{}:{:.2f}", words.empty() ? " busy=" : ",", SpanKindName(static_cast<SpanKind>(kind)), rates.cores_busy[kind]);
  }
  return words;
}

}  // namespace

std::string_view WaitReasonName(WaitReason reason) {
  static constexpr std::string_view kNames[] = {"nothing", "peer", "network", "disk", "cpu"};
  return kNames[static_cast<size_t>(reason)];
}

void RateWindow::Add(const NodeStatus& status, int64_t now_ns) {
  is_at_tip_ = IsAtTip(status);
  const Sample sample{now_ns, status.block_bytes, status.transactions, status.inputs, status.progress,
                      status.span_ns};
  // Snapshots closer together than the interval replace one another, so that the window stays small.
  if (samples_.size() >= 2 && now_ns - samples_[samples_.size() - 2].ns < kSampleIntervalNs) {
    samples_.back() = sample;
  } else {
    samples_.push_back(sample);
  }
  while (samples_.size() > 2 && now_ns - samples_[1].ns >= kTimeLeftWindowNs) samples_.pop_front();
}

ProgressRates RateWindow::Rates() const {
  ProgressRates rates;
  if (is_at_tip_) rates.seconds_left = 0;
  if (samples_.size() < 2) return rates;
  const Sample& now = samples_.back();
  // The oldest sample inside the window, or the one before the last when all others are older.
  const auto first = std::find_if(samples_.begin(), samples_.end() - 2,
                                  [&](const Sample& sample) { return now.ns - sample.ns <= kRateWindowNs; });
  const double seconds = static_cast<double>(now.ns - first->ns) / 1e9;
  if (seconds > 0) {
    rates.megabytes_per_second = static_cast<double>(now.block_bytes - first->block_bytes) / 1e6 / seconds;
    rates.transactions_per_second = static_cast<double>(now.transactions - first->transactions) / seconds;
    rates.inputs_per_second = static_cast<double>(now.inputs - first->inputs) / seconds;
    for (size_t kind = 0; kind < kSpanKindCount; ++kind) {
      rates.cores_busy[kind] = static_cast<double>(now.span_ns[kind] - first->span_ns[kind]) / 1e9 / seconds;
    }
  }
  const double moved = now.progress - samples_.front().progress;
  const double moved_in_seconds = static_cast<double>(now.ns - samples_.front().ns) / 1e9;
  if (!is_at_tip_ && moved > 0 && moved_in_seconds > 0) {
    const double left = std::max(0.0, 1.0 - now.progress) / moved * moved_in_seconds;
    // More than a decade is no estimate.
    if (left < 315'360'000) rates.seconds_left = static_cast<int64_t>(std::ceil(left));
  }
  return rates;
}

std::string ProgressReporter::ScanLine(const BlockScanProgress& scan, double seconds) {
  const double done = static_cast<double>(scan.bytes_done);
  const double total = static_cast<double>(scan.bytes_total);
  const std::string left = done > 0 && seconds > 0 ? fmt::format("{:.0f}", std::ceil((total - done) / done * seconds)) : "unknown";
  return fmt::format("searching block files file={} of={} blocks_found={} mb={:.0f} percent={:.1f} mb_s={:.0f} eta_s={}",
                     std::min(scan.files_done + 1, scan.files_total), scan.files_total, scan.blocks_found, done / 1e6,
                     total > 0 ? 100 * done / total : 100, seconds > 0 ? done / 1e6 / seconds : 0, left);
}

std::string ProgressReporter::LogLine(const NodeStatus& status, const ProgressRates& rates, uint64_t resident_bytes) {
  return fmt::format(
      "progress height={} headers={} verified={} resolved={} durable={} percent={:.2f} mb_s={:.2f} tx_s={:.0f} "
      "inputs_s={:.0f} coins={} memory_mb={:.0f} peers={} blocks_downloaded={} in_check={} ready={} ahead={} eta_s={} waiting_on={}{}{}",
      status.applied_height, status.header_height, status.verified_height, status.resolved_height, status.durable_height,
      100 * status.progress, rates.megabytes_per_second, rates.transactions_per_second, rates.inputs_per_second,
      status.coin_store.coins, static_cast<double>(resident_bytes) / 1e6, status.peers.size(), status.blocks_downloaded, status.blocks_in_check, status.blocks_ready, status.blocks_ahead,
      rates.seconds_left ? fmt::format("{}", *rates.seconds_left) : std::string("unknown"),
      WaitReasonName(status.waiting_on), BusyWords(rates),
      status.stored_blocks_left == 0 ? std::string() : fmt::format(" stored_blocks_left={}", status.stored_blocks_left));
}

std::string ProgressReporter::BarLine(const NodeStatus& status, const ProgressRates& rates, uint64_t resident_bytes,
                                      size_t columns) {
  // In the order of the line; where a terminal is narrow, those of the highest rank go first.
  struct Word {
    int rank;
    std::string text;
  };
  std::vector<Word> words = {
      {0, fmt::format(" {:5.1f}% {}/{}", 100 * status.progress, status.applied_height, status.header_height)},
      {3, fmt::format("  {:.1f} MB/s", rates.megabytes_per_second)},
      {5, fmt::format("  {:.0f} tx/s", rates.transactions_per_second)},
      {4, fmt::format("  {:.0f} in/s", rates.inputs_per_second)},
      {6, fmt::format("  {} coins", status.coin_store.coins)},
      {7, fmt::format("  {:.0f} MB", static_cast<double>(resident_bytes) / 1e6)},
      {1, fmt::format("  {} left", TimeLeft(rates.seconds_left))}};
  if (status.waiting_on != WaitReason::kNothing) {
    words.push_back({2, fmt::format("  waits for {}", WaitReasonName(status.waiting_on))});
  }
  constexpr size_t kBarColumnsMax = 40;
  constexpr size_t kBarColumnsMin = 10;
  const auto size_of_words = [&] {
    return std::accumulate(words.begin(), words.end(), size_t{0}, [](size_t sum, const Word& word) { return sum + word.text.size(); });
  };
  while (words.size() > 1 && size_of_words() + kBarColumnsMin + 2 > columns) {
    words.erase(std::max_element(words.begin(), words.end(), [](const Word& a, const Word& b) { return a.rank < b.rank; }));
  }
  std::string line;
  if (const size_t size = size_of_words(); size + kBarColumnsMin + 2 <= columns) {
    const size_t width = std::min(kBarColumnsMax, columns - size - 2);
    const double progress = std::clamp(status.progress, 0.0, 1.0);
    const size_t filled = static_cast<size_t>(progress * static_cast<double>(width));
    line = "[" + std::string(filled, '=') + std::string(width - filled, ' ') + "]";
  }
  for (const Word& word : words) line += word.text;
  if (line.size() > columns) line.resize(columns);
  return line;
}

void ProgressReporter::UpdateScan(const BlockScanProgress& scan, int64_t now_ns) {
  if (!scan_began_ns_) scan_began_ns_ = reported_ns_ = now_ns;
  const int64_t interval_ns = terminal_ != nullptr ? kDrawIntervalNs : kLogIntervalNs;
  if (now_ns - *reported_ns_ < interval_ns) return;
  reported_ns_ = now_ns;
  const std::string line = ScanLine(scan, static_cast<double>(now_ns - *scan_began_ns_) / 1e9);
  if (terminal_ == nullptr) {
    HR_LOG(kInfo, kNode, line);
    return;
  }
  std::fprintf(terminal_, "\r\x1b[K%s", line.substr(0, TerminalColumns(terminal_) - 1).c_str());
  std::fflush(terminal_);
}

void ProgressReporter::Update(const NodeStatus& status, uint64_t resident_bytes, int64_t now_ns) {
  window_.Add(status, now_ns);
  const bool is_news = !reported_ns_ || status.applied_height != reported_height_ || !IsAtTip(status);
  const int64_t interval_ns = terminal_ != nullptr ? kDrawIntervalNs : is_news ? kLogIntervalNs : kQuietLogIntervalNs;
  if (reported_ns_ && now_ns - *reported_ns_ < interval_ns) return;
  if (terminal_ != nullptr) {
    Draw(status, resident_bytes);
  } else {
    Log(status, resident_bytes);
  }
  reported_ns_ = now_ns;
  reported_height_ = status.applied_height;
}

void ProgressReporter::Finish(const NodeStatus& status, uint64_t resident_bytes, int64_t now_ns) {
  window_.Add(status, now_ns);
  if (terminal_ != nullptr) {
    Draw(status, resident_bytes);
    std::fputc('\n', terminal_);
    std::fflush(terminal_);
  } else {
    Log(status, resident_bytes);
  }
}

void ProgressReporter::Draw(const NodeStatus& status, uint64_t resident_bytes) {
  // The last column stays free: some terminals wrap when it is written.
  const std::string line = BarLine(status, window_.Rates(), resident_bytes, TerminalColumns(terminal_) - 1);
  std::fprintf(terminal_, "\r\x1b[K%s", line.c_str());
  std::fflush(terminal_);
}

void ProgressReporter::Log(const NodeStatus& status, uint64_t resident_bytes) {
  HR_LOG(kInfo, kNode, LogLine(status, window_.Rates(), resident_bytes));
}

}  // namespace headrace
