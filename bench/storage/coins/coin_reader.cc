#include "bench/storage/coins/coin_reader.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr size_t kReadsKept = 1 << 21;

}  // namespace

absl::Status FindKnown(BenchedStore& store, const KnownCoin& known, std::vector<uint8_t>& script) {
  Coin coin;
  HR_ASSIGN_OR_RETURN(const bool is_there, store.Find(known.outpoint, coin, script));
  if (is_there && coin.amount == known.amount && coin.height == known.height &&
      coin.script.size() == known.script_size) {
    return absl::OkStatus();
  }
  return absl::InternalError(is_there ? "a read gives another coin" : "a read misses a coin that is there");
}

CoinReader::CoinReader(BenchedStore& store, const std::vector<KnownCoin>& known, std::atomic<bool>& is_applying)
    : store_(store), known_(known), is_applying_(is_applying), nanoseconds_(kReadsKept), thread_([this] { Read(); }) {}

CoinReader::~CoinReader() { Stop(); }

void CoinReader::Stop() {
  if (!thread_.joinable()) return;
  must_stop_ = true;
  // A reader that sleeps is woken; nothing is being applied any more.
  is_applying_ = true;
  is_applying_.notify_all();
  thread_.join();
  is_applying_ = false;
}

void CoinReader::Read() {
  using SteadyClock = std::chrono::steady_clock;
  std::vector<uint8_t> script;
  size_t next = 0;
  while (!must_stop_.load(std::memory_order_relaxed) && status_.ok()) {
    is_applying_.wait(false, std::memory_order_relaxed);
    if (must_stop_.load(std::memory_order_relaxed)) break;
    const auto begin = SteadyClock::now();
    status_ = FindKnown(store_, known_[next], script);
    const auto taken =
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(SteadyClock::now() - begin).count());
    next = next + 1 == known_.size() ? 0 : next + 1;
    nanoseconds_[reads_++ % kReadsKept] =
        static_cast<uint32_t>(std::min<uint64_t>(taken, std::numeric_limits<uint32_t>::max()));
    nanoseconds_max_ = std::max(nanoseconds_max_, taken);
  }
}

absl::StatusOr<nlohmann::ordered_json> CoinReader::Finish() {
  Stop();
  HR_RETURN_IF_ERROR(status_);
  nanoseconds_.resize(std::min<uint64_t>(reads_, kReadsKept));
  if (nanoseconds_.empty()) return nlohmann::ordered_json{{"reads", 0}};
  std::sort(nanoseconds_.begin(), nanoseconds_.end());
  const auto at = [&](double share) {
    return nanoseconds_[static_cast<size_t>(share * static_cast<double>(nanoseconds_.size()))];
  };
  return nlohmann::ordered_json{{"reads", reads_},
                                {"ns_p50", at(0.5)},
                                {"ns_p99", at(0.99)},
                                {"ns_p999", at(0.999)},
                                {"ns_max", nanoseconds_max_}};
}

}  // namespace headrace::bench
