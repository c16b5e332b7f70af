#include "net/peer/event_queue.h"

#include <utility>

namespace headrace {
namespace {

// What a transaction of its own takes beside its bytes.
constexpr uint64_t kVectorBytes = sizeof(PrefilledTransaction) + 16;

uint64_t CompactBytes(const CompactBlock& block) {
  uint64_t bytes = sizeof(CompactBlock) + block.short_ids.size() * sizeof(uint64_t);
  for (const PrefilledTransaction& transaction : block.prefilled) bytes += transaction.bytes.size() + kVectorBytes;
  return bytes;
}

}  // namespace

uint64_t EventBytes(const PeerEvent& event) {
  constexpr uint64_t kFixedBytes = sizeof(PeerEvent);
  return kFixedBytes + std::visit(
                           [](const auto& what) -> uint64_t {
                             using T = std::decay_t<decltype(what)>;
                             if constexpr (std::is_same_v<T, BlockReceived>) {
                               return what.block->size();
                             } else if constexpr (std::is_same_v<T, HeadersReceived>) {
                               return what.headers.size() * sizeof(BlockHeader);
                             } else if constexpr (std::is_same_v<T, CompactBlockReceived>) {
                               return CompactBytes(*what.block);
                             } else if constexpr (std::is_same_v<T, BlockTransactionsReceived>) {
                               return TransactionBytes(*what.answer) + what.answer->transactions.size() * kVectorBytes;
                             } else if constexpr (std::is_same_v<T, GetBlockTransactionsReceived>) {
                               return what.request.indexes.size() * sizeof(uint32_t);
                             } else if constexpr (requires { what.items; }) {
                               return what.items.size() * sizeof(InventoryItem);
                             } else if constexpr (requires { what.locator; }) {
                               return what.locator.size() * sizeof(Hash256);
                             } else {
                               return 0;
                             }
                           },
                           event);
}

bool EventQueue::TryPush(PeerEvent& event) {
  const uint64_t bytes = EventBytes(event);
  // Relaxed: a bound, not a hand-over. A lone event always fits.
  const uint64_t in_ring = bytes_.load(std::memory_order_relaxed);
  if (in_ring != 0 && in_ring + bytes > bytes_max_) return false;
  // Counted before the engine can see it and take it off again.
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (ring_.TryPush(std::move(event))) {
    is_engine_to_be_rung_ = true;
    return true;
  }
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

uint64_t EventQueue::Push(PeerEvent event) {
  if (is_blocked() || !TryPush(event)) waiting_.push_back(std::move(event));
  return ++pushed_;
}

bool EventQueue::Flush() {
  bool has_moved = false;
  while (!waiting_.empty() && TryPush(waiting_.front())) {
    waiting_.pop_front();
    has_moved = true;
  }
  if (is_engine_to_be_rung_) {
    is_engine_to_be_rung_ = false;
    engine_.Ring();
  }
  return has_moved;
}

void EventQueue::SetReactorWaits(bool waits) {
  reactor_waits_.store(waits, std::memory_order_relaxed);
  // Against the fence in Take: either the engine sees the flag, or the reactor, looking again, sees what it took.
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

bool EventQueue::Take(std::vector<PeerEvent>& events, size_t events_max, bool are_commands_queued) {
  // Release: the commands that followed from these events are in their ring before this is seen.
  const bool is_news = are_commands_queued && handled_.load(std::memory_order_relaxed) != taken_;
  if (is_news) handled_.store(taken_, std::memory_order_release);
  size_t count = 0;
  while (count < events_max) {
    std::optional<PeerEvent> event = ring_.TryPop();
    if (!event) break;
    bytes_.fetch_sub(EventBytes(*event), std::memory_order_relaxed);
    events.push_back(std::move(*event));
    ++count;
  }
  taken_ += count;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if ((is_news || count > 0) && reactor_waits_.load(std::memory_order_relaxed)) reactor_.Ring();
  return count > 0;
}

}  // namespace headrace
