// Other threads and the address book: their questions are run by the reactor, all of them, until it ends.
#include <atomic>
#include <thread>

#include "net/peer/reactor_calls.h"
#include "tests/net/peer/hub_fixture.h"

namespace headrace {
namespace {

using testing::Node;

PeerHubOptions WithDiscovery() {
  PeerHubOptions options = Node::Defaults();
  options.discovery.emplace();
  options.discovery->accepts_unroutable = true;
  options.discovery->outbound.full_relay_max = options.discovery->outbound.block_relay_max = 0;
  options.discovery->outbound.feelers_max = 0;
  return options;
}

TEST(BookCallsTest, QuestionsOfManyThreadsAreRunOneAfterAnother) {
  Node node(WithDiscovery());
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kQuestions = 200;
  size_t in_book = 0;  // not atomic: one thread runs the questions
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint32_t i = 0; i < kQuestions; ++i) {
        const bool was_run = node.hub->WithBook([&](AddressBook& book) {
          // In a group of its own.
          const NodeAddress host = NodeAddress::Of(
              Address::Ipv4(static_cast<uint8_t>(20 + t), static_cast<uint8_t>(i), 1, 1, 18444));
          book.Add({host, kNodeNetwork, book.now_s()}, host, 0);
          ++in_book;
        });
        EXPECT_TRUE(was_run);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(in_book, kThreads * kQuestions);
  size_t size = 0;
  EXPECT_TRUE(node.hub->WithBook([&](AddressBook& book) { size = book.size(); }));
  EXPECT_GT(size, kThreads * kQuestions * 9 / 10);
}

TEST(BookCallsTest, WhoeverAsksAnEndingReactorIsTurnedAway) {
  Node node(WithDiscovery());
  std::atomic<bool> was_turned_away{false};
  std::thread asker([&] {
    while (node.hub->WithBook([](AddressBook& book) { book.Sample(10, 100); })) continue;
    was_turned_away = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  node.reactor->Stop();
  asker.join();
  EXPECT_TRUE(was_turned_away);
  EXPECT_FALSE(node.hub->WithBook([](AddressBook&) { ADD_FAILURE() << "nobody is there to run it"; }));
  EXPECT_TRUE(node.hub->TakeBookImage().has_value()) << "the last one";
}

TEST(BookCallsTest, AHubWithoutABookShowsNothing) {
  Node node(Node::Defaults());
  EXPECT_TRUE(node.hub->WithBook([](AddressBook&) { ADD_FAILURE() << "there is no book"; }));
  EXPECT_FALSE(node.hub->TakeBookImage().has_value());
}

}  // namespace
}  // namespace headrace
