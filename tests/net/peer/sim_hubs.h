// Hubs on a simulated network, in one thread and in simulated time: hours of gossip in a second, the same every time. Public
// addresses exist here alone. The test is the engine of all of them: it takes their events and does nothing.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/peer/peer_hub.h"
#include "net/wire/commands.h"
#include "net/wire/framer.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/version_message.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"
#include "tests/sim/sim_network.h"
#include "tests/sim/sim_transport.h"

namespace headrace::testing {

inline constexpr NetworkMagic kSimMagic = {1, 2, 3, 4};

class SilentBell final : public Doorbell {
 public:
  void Ring() override {}
};

// A host with a hub.
class SimHub {
 public:
  SimHub(PeerHubOptions options, const Address& address, sim::SimNetwork& network, sim::SimClock& clock,
         sim::SimEntropy entropy, const std::optional<BookImage>& image)
      : address(address), entropy_(entropy), transport_(network, clock, wakeup, address) {
    options.magic = kSimMagic;
    options.listen = {address};
    hub = std::make_unique<PeerHub>(std::move(options), transport_, clock, entropy_, bell_);
    if (image) hub->RestoreBook(*image);
    const absl::Status started = hub->Start();
    EXPECT_TRUE(started.ok()) << started;
  }

  void Turn(sim::SimClock& clock) {
    constexpr int64_t kSleepNs = 250 * sim::kNsPerMs;
    wakeup.due_ns = INT64_MAX;
    wakeup.busy_until_ns = clock.now_ns() + sim::kNsPerMs;
    hub->Step(0);
    std::vector<PeerEvent> events;
    while (hub->TakeEvents(events, 64)) {
      for (PeerEvent& event : std::exchange(events, {})) told += std::holds_alternative<PeerConnected>(event) ? 1 : 0;
    }
    if (auto taken = hub->TakeBookImage()) book = std::move(*taken);
    wakeup.At(std::min(clock.now_ns() + kSleepNs, transport_.NextDueNs()));
  }

  size_t CountOf(PeerKind kind, bool wants_introduced = true) const {
    size_t count = 0;
    for (const PeerStatusNet& peer : hub->Status()) {
      count += peer.info.kind == kind && (peer.is_handshake_complete || !wants_introduced) ? 1 : 0;
    }
    return count;
  }

  const Address address;
  sim::Wakeup wakeup;
  std::vector<uint8_t> book;  // what was to be written last
  size_t told = 0;            // peers that the engine heard of

 private:
  sim::SimEntropy entropy_;
  SilentBell bell_;
  sim::SimTransport transport_;

 public:
  std::unique_ptr<PeerHub> hub;
};

// A host that says what the test wants, and remembers what it is told.
class SimSpeaker final : private TransportHandler {
 public:
  struct Told {
    std::string command;
    std::vector<uint8_t> body;
  };

  SimSpeaker(const Address& address, sim::SimNetwork& network, sim::SimClock& clock)
      : address(address), clock_(clock), transport_(network, clock, wakeup, address) {
    transport_.SetHandler(this);
    transport_.Listen(address).IgnoreError();
  }

  // One connection at a time.
  void Connect(const Address& remote) { connection_ = transport_.Connect(remote); }
  void Send(const Command& command, const std::vector<uint8_t>& body = {}) {
    transport_.Send(connection_, EncodeMessage(kSimMagic, command, body));
  }
  void SendBytes(ByteSpan bytes) { transport_.Send(connection_, SharedBytes::From(Slab::Copy(bytes))); }
  void StopReading() { transport_.PauseReceive(connection_); }
  void ReadOn() { transport_.ResumeReceive(connection_); }
  void Introduce() {
    VersionMessage version;
    version.protocol_version = protocol_version;
    version.services = services;
    version.nonce = nonce;
    version.user_agent = "/speaker:1/";
    std::vector<uint8_t> body;
    EncodeVersion(version, body);
    Send(commands::kVersion, body);
    if (wants_addrv2) Send(commands::kSendAddrV2);
    if (sends_verack) Send(commands::kVerack);
  }
  void Turn() {
    wakeup.due_ns = INT64_MAX;
    wakeup.busy_until_ns = clock_.now_ns() + sim::kNsPerMs;
    transport_.Step(0);
    wakeup.At(std::min(clock_.now_ns() + 250 * sim::kNsPerMs, transport_.NextDueNs()));
  }
  size_t CountOf(const Command& command) const {
    size_t count = 0;
    for (const Told& one : told) count += one.command == command.name() ? 1 : 0;
    return count;
  }
  bool is_connected() const { return is_connected_; }

  // Speaks SOCKS5 first, and then as whoever was asked for.
  struct AsProxy {
    uint8_t reply = 0;       // its code: 0 is success
    bool is_silent = false;
    std::vector<std::string> targets;  // that it was asked for
  };
  std::optional<AsProxy> as_proxy;

  const Address address;
  sim::Wakeup wakeup;
  bool wants_addrv2 = true;
  bool introduces_itself = true;
  bool sends_verack = true;
  bool answers_pings = true;
  int32_t protocol_version = 70016;
  uint64_t nonce = 4711;
  uint64_t services = kNodeNetwork | kNodeWitness;
  std::vector<Told> told;
  size_t accepted = 0;

 private:
  void Begin(ConnectionId connection) {
    connection_ = connection;
    is_connected_ = true;
    framer_ = std::make_unique<Framer>(kSimMagic, [](const Command&, uint32_t) { return nullptr; });
    if (introduces_itself) Introduce();
  }
  void OnAccepted(ConnectionId connection, const Address&, const Address&) override {
    ++accepted;
    if (!as_proxy) return Begin(connection);
    connection_ = connection;
    is_connected_ = true;
    framer_.reset();
    to_proxy_.clear();
  }
  // Four bytes of greeting, and a request.
  void TalkAsProxy(ByteSpan bytes) {
    constexpr size_t kGreetingBytes = 4;
    constexpr size_t kHeadBytes = 5;
    to_proxy_.insert(to_proxy_.end(), bytes.begin(), bytes.end());
    const auto say = [this](const std::vector<uint8_t>& words) {
      transport_.Send(connection_, SharedBytes::From(Slab::Copy(words)));
    };
    if (as_proxy->is_silent || to_proxy_.size() < kGreetingBytes) return;
    if (to_proxy_.size() == kGreetingBytes) return say({5, 0});
    if (to_proxy_.size() < kGreetingBytes + kHeadBytes) return;
    const uint8_t* const host = &to_proxy_[kGreetingBytes + 4];
    const bool is_name = host[-1] == 3;
    const size_t host_bytes = is_name ? 1 + size_t{host[0]} : host[-1] == 1 ? 4 : 16;
    if (to_proxy_.size() < kGreetingBytes + 4 + host_bytes + 2) return;
    std::string text = is_name ? std::string(host + 1, host + host_bytes) : "";
    for (size_t i = 0; i < host_bytes && !is_name; ++i) text += (i == 0 ? "" : ".") + std::to_string(host[i]);
    as_proxy->targets.push_back(text + ":" + std::to_string(LoadBig16(host + host_bytes)));
    say({5, as_proxy->reply, 0, 1, 0, 0, 0, 0, 0, 0});
    if (as_proxy->reply == 0) Begin(connection_);
  }
  void OnConnected(ConnectionId connection) override { Begin(connection); }
  size_t OnReceived(ConnectionId, ByteSpan bytes) override {
    if (framer_ == nullptr) {
      TalkAsProxy(bytes);
      return bytes.size();
    }
    for (size_t consumed = 0; consumed < bytes.size();) {
      consumed += framer_->Consume(bytes.subspan(consumed));
      if (framer_->has_message()) {
        const Message message = framer_->TakeMessage();
        told.push_back({std::string(message.command.name()), {message.body.begin(), message.body.end()}});
        if (message.command == commands::kPing && answers_pings) Send(commands::kPong, told.back().body);
      } else if (framer_->error() != FramingError::kNone) {
        ADD_FAILURE() << "the hub's bytes are no messages";
        break;
      }
    }
    return bytes.size();
  }
  ReceiveTarget NextTarget(ConnectionId) override { return {}; }
  void OnReceivedDirect(ConnectionId, size_t) override {}
  void OnSent(ConnectionId, size_t) override {}
  void OnEndOfStream(ConnectionId connection) override { transport_.Close(connection, CloseMode::kAbort); }
  void OnClosed(ConnectionId connection, CloseReason, int) override {
    if (connection == connection_) is_connected_ = false;
  }

  sim::SimClock& clock_;
  sim::SimTransport transport_;
  ConnectionId connection_ = 0;
  bool is_connected_ = false;
  std::unique_ptr<Framer> framer_;
  std::vector<uint8_t> to_proxy_;
};

class SimHubsTest : public ::testing::Test {
 protected:
  // A host of its own group for every number.
  static Address HostAt(int number) {
    return Address::Ipv4(static_cast<uint8_t>(20 + number % 50), static_cast<uint8_t>(number / 50), 1, 1, 8333);
  }
  static PeerHubOptions Finding() {
    PeerHubOptions options;
    options.discovery.emplace();
    return options;
  }

  SimHub& AddHub(int number, PeerHubOptions options = Finding(), const std::optional<BookImage>& image = std::nullopt) {
    hubs_[number].reset();
    hubs_[number] = std::make_unique<SimHub>(std::move(options), HostAt(number), network_, clock_, entropy_.Fork(), image);
    return *hubs_[number];
  }
  SimSpeaker& AddSpeaker(int number) { return AddSpeakerAt(HostAt(number)); }
  SimSpeaker& AddSpeakerAt(const Address& address) {
    speakers_.push_back(std::make_unique<SimSpeaker>(address, network_, clock_));
    return *speakers_.back();
  }
  SimSpeaker& ConnectSpeaker(int number, const SimHub& hub) {
    SimSpeaker& speaker = AddSpeaker(number);
    speaker.Connect(hub.address);
    EXPECT_TRUE(RunUntil([&] { return speaker.CountOf(commands::kVerack) == 1; }, 10));
    Run(1);
    return speaker;
  }
  void RemoveHub(int number) { hubs_.erase(number); }

  // Whoever is due is turned, until so much time has passed or `done`.
  bool RunUntil(const std::function<bool()>& done, int64_t seconds) {
    const int64_t end_ns = clock_.now_ns() + seconds * sim::kNsPerSecond;
    while (!done()) {
      int64_t due_ns = end_ns;
      for (auto& [number, hub] : hubs_) due_ns = std::min(due_ns, hub->wakeup.due_ns);
      for (auto& speaker : speakers_) due_ns = std::min(due_ns, speaker->wakeup.due_ns);
      clock_.AdvanceTo(std::max(clock_.now_ns(), due_ns));
      if (clock_.now_ns() >= end_ns) return false;
      for (auto& [number, hub] : hubs_) {
        if (hub->wakeup.due_ns <= clock_.now_ns()) hub->Turn(clock_);
      }
      for (auto& speaker : speakers_) {
        if (speaker->wakeup.due_ns <= clock_.now_ns()) speaker->Turn();
      }
    }
    return true;
  }
  void Run(int64_t seconds) {
    RunUntil([] { return false; }, seconds);
  }

  sim::SimEntropy entropy_{5};
  sim::SimClock clock_;
  sim::SimNetwork network_{entropy_.Fork(), clock_, {}};
  std::map<int, std::unique_ptr<SimHub>> hubs_;
  std::vector<std::unique_ptr<SimSpeaker>> speakers_;
};

}  // namespace headrace::testing
