// The rings that components meet in, and the bells beside them: nothing is lost, doubled or overtaken, and nobody
// sleeps through a ring, whatever the threads' timing.

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/bounded_ring.h"
#include "engine/base/reader_gate.h"
#include "engine/runtime/futex_doorbell.h"
#include "gtest/gtest.h"
#include "net/peer/command_queue.h"
#include "net/peer/event_queue.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

struct RingShape {
  size_t capacity;
  int producers;
  int consumers;
};

class RingStress : public ::testing::TestWithParam<RingShape> {};

// Values own memory, so that one popped twice or never is found by the address sanitizer too.
TEST_P(RingStress, EveryValueArrivesOnceAndInItsProducersOrder) {
  const size_t capacity = GetParam().capacity;
  const int producers = GetParam().producers;
  const int consumers = GetParam().consumers;
  const uint64_t each = static_cast<uint64_t>(StressRounds(12'000));
  BoundedRing<std::unique_ptr<uint64_t>> ring(capacity);
  std::atomic<uint64_t> popped{0};
  std::atomic<bool> order_is_kept{true};
  std::vector<std::vector<uint64_t>> taken(static_cast<size_t>(consumers));
  std::vector<std::thread> threads;
  for (uint64_t producer = 0; producer < static_cast<uint64_t>(producers); ++producer) {
    threads.emplace_back([&, producer] {
      for (uint64_t i = 0; i < each; ++i) {
        auto value = std::make_unique<uint64_t>(producer * each + i);
        while (!ring.TryPush(std::move(value))) std::this_thread::yield();
      }
    });
  }
  for (auto& mine : taken) {
    threads.emplace_back([&] {
      std::vector<int64_t> last(static_cast<size_t>(producers), -1);
      while (popped.load(std::memory_order_relaxed) < each * static_cast<uint64_t>(producers)) {
        const auto value = ring.TryPop();
        if (!value) {
          std::this_thread::yield();
          continue;
        }
        popped.fetch_add(1, std::memory_order_relaxed);
        mine.push_back(**value);
        int64_t& before = last[**value / each];
        if (static_cast<int64_t>(**value % each) <= before) order_is_kept = false;
        before = static_cast<int64_t>(**value % each);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(order_is_kept);
  std::vector<uint64_t> all;
  for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  std::vector<uint64_t> wanted(each * static_cast<uint64_t>(producers));
  std::iota(wanted.begin(), wanted.end(), uint64_t{0});
  EXPECT_TRUE(all == wanted);
}

INSTANTIATE_TEST_SUITE_P(Shapes, RingStress,
                         ::testing::Values(RingShape{2, 1, 1}, RingShape{2, 4, 4}, RingShape{4, 6, 1},
                                           RingShape{4, 1, 6}, RingShape{64, 3, 3}));

// Reactor and engine, each asleep whenever it has nothing to do, over queues that are always too small. A ring that is
// lost would leave both asleep until the deadline.
TEST(QueueStress, EventsAndCommandsGoRoundAndNobodySleepsThroughABell) {
  const uint64_t events_count = static_cast<uint64_t>(StressRounds(100'000));
  FutexDoorbell engine_bell;
  FutexDoorbell reactor_bell;
  EventQueue events(4, 4 * sizeof(PeerEvent) + 100, engine_bell, reactor_bell);
  CommandQueue commands(4, engine_bell, reactor_bell);
  const int64_t sleep_ms = StressDeadline::BeyondMs();
  const StressDeadline deadline;

  // Answers every event with a command that carries the event's number.
  std::thread engine([&] {
    uint64_t next = 1;
    std::vector<PeerEvent> batch;
    while (next <= events_count) {
      ASSERT_FALSE(deadline.is_over()) << "the engine waits for event " << next;
      batch.clear();
      const bool are_flushed = commands.Flush();
      if (!events.Take(batch, 3, are_flushed)) {
        engine_bell.Wait(sleep_ms);
        continue;
      }
      for (const PeerEvent& event : batch) {
        const PeerId number = std::get<PeerDisconnected>(event).peer;
        ASSERT_EQ(number, next);
        ++next;
        commands.Submit(Disconnect{number, std::to_string(number)});
      }
    }
    while (!commands.Flush()) {
      ASSERT_FALSE(deadline.is_over()) << "commands are left over";
      engine_bell.Wait(sleep_ms);
    }
    // The events taken last count as handled when the engine asks for more.
    events.Take(batch, 3, true);
    reactor_bell.Ring();
  });

  uint64_t pushed = 0;
  uint64_t answered = 0;
  uint64_t handled = 0;
  while (answered < events_count) {
    ASSERT_FALSE(deadline.is_over()) << "the reactor waits for answer " << answered + 1;
    bool is_idle = true;
    events.Flush();
    while (pushed < events_count && !events.is_blocked()) {
      is_idle = false;
      ASSERT_EQ(events.Push(PeerDisconnected{++pushed}), pushed);
    }
    events.Flush();
    while (std::optional<PeerCommand> command = commands.Pop()) {
      is_idle = false;
      ASSERT_EQ(std::get<Disconnect>(*command).peer, ++answered);
      ASSERT_EQ(std::get<Disconnect>(*command).reason, std::to_string(answered));
    }
    commands.RingForOverhang();
    ASSERT_GE(events.handled(), handled);
    handled = events.handled();
    ASSERT_LE(handled, pushed);
    if (!is_idle) continue;
    events.SetReactorWaits(true);
    // Looking again, as the flag's contract asks.
    if (!events.Flush() && events.handled() == handled) reactor_bell.Wait(sleep_ms);
    events.SetReactorWaits(false);
  }
  engine.join();
  EXPECT_EQ(events.handled(), events_count);
  EXPECT_FALSE(commands.Pop());
}

TEST(GateStress, ManyWritersAndReadersSeeWholeChangesAlone) {
  const int changes = StressRounds(2000);
  ReaderGate gate;
  std::array<int, 8> values{};
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> readers;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!stop.load(std::memory_order_relaxed)) {
        const std::shared_lock lock(gate);
        for (const int value : values) torn += value != values[0];
      }
    });
  }
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&] {
      for (int change = 0; change < changes; ++change) {
        const std::lock_guard lock(gate);
        for (int& value : values) ++value;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(values[0], 3 * changes);
}

// The gate is no lock-free structure, and this is its price: a reader that is suspended inside keeps the writer out,
// and with it the readers that come later, and all of them go on when it wakes.
TEST(GateStress, ASuspendedReaderHoldsWriterAndLaterReadersUntilItWakes) {
  ReaderGate gate;
  int value = 0;
  std::atomic<int> inside{0};
  std::atomic<bool> wake{false};
  std::atomic<bool> writer_is_done{false};
  std::atomic<int> late_readers_done{0};
  const StressDeadline deadline;
  std::thread suspended([&] {
    const std::shared_lock lock(gate);
    inside = 1;
    EXPECT_TRUE(deadline.Await([&] { return wake.load(); }));
    EXPECT_EQ(value, 0);
    EXPECT_FALSE(writer_is_done);
  });
  ASSERT_TRUE(deadline.Await([&] { return inside.load() == 1; }));
  std::thread writer([&] {
    const std::lock_guard lock(gate);
    value = 1;
    writer_is_done = true;
  });
  std::vector<std::thread> late;
  for (int i = 0; i < 3; ++i) {
    late.emplace_back([&] {
      const std::shared_lock lock(gate);
      EXPECT_TRUE(value == 0 || value == 1);
      ++late_readers_done;
    });
  }
  wake = true;
  suspended.join();
  writer.join();
  for (std::thread& reader : late) reader.join();
  EXPECT_EQ(value, 1);
  EXPECT_EQ(late_readers_done.load(), 3);
}

}  // namespace
}  // namespace headrace::testing
