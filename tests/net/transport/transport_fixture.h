// A transport with a handler that keeps what it was told, for tests over loopback.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "net/transport/open_transport.h"

namespace headrace::testing {

// What was told about one connection.
struct Story {
  bool is_accepted = false;
  bool is_connected = false;
  bool is_ended = false;
  bool is_closed = false;
  int closed_count = 0;
  CloseReason reason = CloseReason::kLocal;
  int error = 0;
  std::vector<uint8_t> received;
  uint64_t sent = 0;
  uint64_t received_direct = 0;
  std::shared_ptr<std::vector<uint8_t>> target;  // where the next bytes shall go, once set
  size_t target_filled = 0;
};

class End : public TransportHandler {
 public:
  explicit End(TransportChoice choice) {
    auto opened = OpenTransport(choice);
    if (opened.ok()) {
      transport = *std::move(opened);
      transport->SetHandler(this);
    } else {
      why_not = std::string(opened.status().message());
    }
  }

  // Steps until `done` or a minute has gone, which fails the test.
  bool StepUntil(const std::function<bool()>& done, End* other = nullptr) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      transport->Step(other == nullptr ? 5'000'000 : 100'000);
      if (other != nullptr) other->transport->Step(100'000);
    }
    return true;
  }

  void OnAccepted(ConnectionId id, const Address&, const Address& listener) override {
    last_listener = listener;
    EXPECT_FALSE(stories.contains(id));
    stories[id].is_accepted = true;
    last_accepted = id;
  }
  void OnConnected(ConnectionId id) override { stories[id].is_connected = true; }
  size_t OnReceived(ConnectionId id, ByteSpan bytes) override {
    Story& story = stories[id];
    EXPECT_FALSE(story.is_closed);
    EXPECT_FALSE(paused[id]) << "told while paused";
    size_t size = bytes.size();
    if (on_received) size = on_received(id, bytes);
    story.received.insert(story.received.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    if (is_echo) {
      auto copy = Slab::Copy(bytes.first(size));
      transport->Send(id, SharedBytes::From(std::move(copy)));
    }
    return size;
  }
  ReceiveTarget NextTarget(ConnectionId id) override {
    Story& story = stories[id];
    if (story.target == nullptr || story.target_filled == story.target->size()) return {};
    return {MutableByteSpan(*story.target).subspan(story.target_filled), story.target};
  }
  void OnReceivedDirect(ConnectionId id, size_t size) override {
    Story& story = stories[id];
    EXPECT_FALSE(paused[id]) << "told while paused";
    story.received_direct += size;
    story.target_filled += size;
  }
  void OnSent(ConnectionId id, size_t size) override { stories[id].sent += size; }
  void OnEndOfStream(ConnectionId id) override {
    EXPECT_FALSE(stories[id].is_ended);
    stories[id].is_ended = true;
    if (closes_at_end) transport->Close(id, CloseMode::kDrain);
  }
  void OnClosed(ConnectionId id, CloseReason reason, int error) override {
    Story& story = stories[id];
    story.is_closed = true;
    ++story.closed_count;
    story.reason = reason;
    story.error = error;
  }

  void Pause(ConnectionId id) {
    paused[id] = true;
    transport->PauseReceive(id);
  }
  void Resume(ConnectionId id) {
    paused[id] = false;
    transport->ResumeReceive(id);
  }

  std::unique_ptr<Transport> transport;
  std::string why_not;
  std::map<ConnectionId, Story> stories;
  std::map<ConnectionId, bool> paused;
  std::function<size_t(ConnectionId, ByteSpan)> on_received;
  ConnectionId last_accepted = 0;
  Address last_listener;
  bool is_echo = false;
  bool closes_at_end = true;
};

}  // namespace headrace::testing
