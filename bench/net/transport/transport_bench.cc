// Both transports over loopback with the framer on top: blocks of 1 MB in MB/s, and small messages per second, for one
// connection up to a thousand. Sender and receiver are two threads with a transport each.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "net/transport/open_transport.h"
#include "net/wire/commands.h"
#include "net/wire/framer.h"
#include "net/wire/outgoing_message.h"

namespace headrace {
namespace {

constexpr NetworkMagic kMagic = {0xfa, 0xbf, 0xb5, 0xda};

// Takes messages and counts them.
class Receiver final : public TransportHandler {
 public:
  explicit Receiver(TransportChoice choice) : transport_(*OpenTransport(choice)) {
    transport_->SetHandler(this);
    address = *transport_->Listen(Address::Ipv4(127, 0, 0, 1, 0));
    thread_ = std::thread([this] {
      while (!must_stop_) transport_->Step(10'000'000);
    });
  }
  ~Receiver() override {
    must_stop_ = true;
    transport_->doorbell().Ring();
    thread_.join();
  }

  void OnAccepted(ConnectionId id, const Address&, const Address&) override {
    framers_[id] = std::make_unique<Framer>(kMagic, [](const Command& command, uint32_t size) {
      return command == commands::kBlock ? std::make_shared<Slab>(size) : nullptr;
    });
  }
  void OnConnected(ConnectionId) override {}
  size_t OnReceived(ConnectionId id, ByteSpan bytes) override {
    Framer& framer = *framers_[id];
    for (ByteSpan rest = bytes; !rest.empty();) {
      rest = rest.subspan(framer.Consume(rest));
      Take(framer);
    }
    return bytes.size();
  }
  ReceiveTarget NextTarget(ConnectionId id) override {
    Framer& framer = *framers_[id];
    return {framer.DirectTarget(), framer.direct_owner()};
  }
  void OnReceivedDirect(ConnectionId id, size_t size) override {
    framers_[id]->CommitDirect(size);
    Take(*framers_[id]);
  }
  void OnSent(ConnectionId, size_t) override {}
  void OnEndOfStream(ConnectionId id) override { transport_->Close(id, CloseMode::kDrain); }
  void OnClosed(ConnectionId id, CloseReason, int) override { framers_.erase(id); }

  Address address;
  std::atomic<uint64_t> messages{0};

 private:
  void Take(Framer& framer) {
    if (!framer.has_message()) return;
    framer.TakeMessage();
    messages.fetch_add(1, std::memory_order_relaxed);
  }

  std::unique_ptr<Transport> transport_;
  absl::flat_hash_map<ConnectionId, std::unique_ptr<Framer>> framers_;
  std::atomic<bool> must_stop_{false};
  std::thread thread_;
};

class Sender final : public TransportHandler {
 public:
  Sender(TransportChoice choice, const Address& to, size_t connections) : transport(*OpenTransport(choice)) {
    transport->SetHandler(this);
    for (size_t i = 0; i < connections; ++i) ids.push_back(transport->Connect(to));
    while (connected_ < connections) transport->Step(10'000'000);
  }

  void OnAccepted(ConnectionId, const Address&, const Address&) override {}
  void OnConnected(ConnectionId) override { ++connected_; }
  size_t OnReceived(ConnectionId, ByteSpan bytes) override { return bytes.size(); }
  ReceiveTarget NextTarget(ConnectionId) override { return {}; }
  void OnReceivedDirect(ConnectionId, size_t) override {}
  void OnSent(ConnectionId, size_t) override {}
  void OnEndOfStream(ConnectionId) override {}
  void OnClosed(ConnectionId, CloseReason reason, int error) override {
    std::fprintf(stderr, "connection lost: %s, errno %d\n", std::string(CloseReasonText(reason)).c_str(), error);
    std::abort();
  }

  std::unique_ptr<Transport> transport;
  std::vector<ConnectionId> ids;

 private:
  size_t connected_ = 0;
};

// Sends `count` messages over the connections in turn and waits until all have arrived.
void RunMessages(benchmark::State& state, TransportChoice choice, const SharedBytes& message, uint64_t count) {
  const auto connections = static_cast<size_t>(state.range(0));
  if (!OpenTransport(choice).ok()) return state.SkipWithError("this transport is not available here");
  Receiver receiver(choice);
  Sender sender(choice, receiver.address, connections);
  uint64_t sent = 0;
  for (auto _ : state) {
    for (uint64_t i = 0; i < count; ++i) sender.transport->Send(sender.ids[i % connections], message);
    sent += count;
    while (receiver.messages.load(std::memory_order_relaxed) < sent) sender.transport->Step(200'000);
  }
  state.SetBytesProcessed(static_cast<int64_t>(sent * message.bytes.size()));
  state.SetItemsProcessed(static_cast<int64_t>(sent));
}

void BM_Blocks(benchmark::State& state, TransportChoice choice) {
  RunMessages(state, choice, EncodeMessage(kMagic, commands::kBlock, std::vector<uint8_t>(1'000'000)), 64);
}

void BM_SmallMessages(benchmark::State& state, TransportChoice choice) {
  RunMessages(state, choice, EncodeMessage(kMagic, commands::kInv, std::vector<uint8_t>(37)), 20'000);
}

#define HR_BENCH(function, name, choice)               \
  BENCHMARK_CAPTURE(function, name, choice)            \
      ->ArgName("connections")                         \
      ->Arg(1)                                         \
      ->Arg(16)                                        \
      ->Arg(125)                                       \
      ->Arg(1000)                                      \
      ->UseRealTime()                                  \
      ->Unit(benchmark::kMillisecond)

HR_BENCH(BM_Blocks, io_uring, TransportChoice::kUring);
HR_BENCH(BM_Blocks, epoll, TransportChoice::kEpoll);
HR_BENCH(BM_SmallMessages, io_uring, TransportChoice::kUring);
HR_BENCH(BM_SmallMessages, epoll, TransportChoice::kEpoll);

}  // namespace
}  // namespace headrace

int main(int argc, char** argv) {
  // A thousand connections are two thousand descriptors, both ends being here.
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
