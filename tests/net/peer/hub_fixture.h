// A hub on its own thread, and the test as its engine.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "engine/runtime/futex_doorbell.h"
#include "engine/runtime/production_clock.h"
#include "engine/runtime/production_entropy.h"
#include "gtest/gtest.h"
#include "net/peer/reactor_thread.h"
#include "net/transport/open_transport.h"

namespace headrace::testing {

inline constexpr NetworkMagic kHubMagic = {0xfa, 0xbf, 0xb5, 0xda};

class Node {
 public:
  static PeerHubOptions Defaults() {
    PeerHubOptions options;
    options.magic = kHubMagic;
    options.listen = {Address::Ipv4(127, 0, 0, 1, 0)};
    options.reconnect_delay_min_ms = 20;
    options.reconnect_delay_max_ms = 200;
    return options;
  }

  explicit Node(PeerHubOptions options, TransportChoice choice = TransportChoice::kProbe) {
    transport = *OpenTransport(choice);
    hub = std::make_unique<PeerHub>(std::move(options), *transport, clock, entropy, doorbell);
    const absl::Status status = hub->Start();
    EXPECT_TRUE(status.ok()) << status;
    reactor = std::make_unique<ReactorThread>(*hub);
  }

  HostPort listens_at() const { return {hub->listening().at(0).HostText(), hub->listening().at(0).port}; }

  // Handles events until one of type T comes, and returns it; others go to `on_event`. Fails after a minute.
  template <typename T>
  T WaitFor() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      while (!events.empty()) {
        PeerEvent event = std::move(events.front());
        events.erase(events.begin());
        if (on_event) on_event(event);
        if (auto* wanted = std::get_if<T>(&event)) return std::move(*wanted);
      }
      if (!hub->TakeEvents(events, 64)) doorbell.Wait(10);
    }
    ADD_FAILURE() << "the event did not come";
    return T{};
  }
  // Handles events for a while, or until `done`.
  bool Run(const std::function<bool()>& done, int64_t limit_ms = 10'000) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      if (!hub->TakeEvents(events, 64)) doorbell.Wait(5);
      for (PeerEvent& event : std::exchange(events, {})) {
        if (on_event) on_event(event);
      }
    }
    return true;
  }

  void Submit(PeerCommand command) {
    std::vector<PeerCommand> commands;
    commands.push_back(std::move(command));
    hub->Submit(commands);
  }

  ProductionClock clock;
  ProductionEntropy entropy;
  FutexDoorbell doorbell;
  std::unique_ptr<Transport> transport;
  std::unique_ptr<PeerHub> hub;
  std::unique_ptr<ReactorThread> reactor;
  std::vector<PeerEvent> events;
  std::function<void(PeerEvent&)> on_event;
};

}  // namespace headrace::testing
