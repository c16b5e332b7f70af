// The Transport port over the simulated network, for one host in one life. The promises of transport.h hold: order, one
// end to each connection, nothing inside a call but inside Step.
//
// One thread.
#pragma once

#include <map>
#include <vector>

#include "net/transport/transport.h"
#include "tests/sim/sim_network.h"

namespace headrace::sim {

class SimTransport final : public Transport, private Doorbell {
 public:
  // `host` is where outbound connections seem to come from; `wakeup` is the component's that calls Step.
  SimTransport(SimNetwork& network, SimClock& clock, Wakeup& wakeup, const Address& host)
      : network_(network), clock_(clock), wakeup_(wakeup), host_(host) {}
  ~SimTransport() override { Vanish(false); }

  std::string_view name() const override { return "simulated"; }
  void SetHandler(TransportHandler* handler) override { handler_ = handler; }
  absl::StatusOr<Address> Listen(const Address& address) override;
  ConnectionId Connect(const Address& remote) override;
  void Send(ConnectionId connection, SharedBytes bytes) override;
  uint64_t QueuedBytes(ConnectionId connection) const override;
  void PauseReceive(ConnectionId connection) override;
  void ResumeReceive(ConnectionId connection) override;
  void Close(ConnectionId connection, CloseMode mode) override;
  void Step(int64_t timeout_ns) override;
  Doorbell& doorbell() override { return *this; }
  size_t connection_count() const override { return ends_.size(); }

  // When Step has something to do next, as far as is known now.
  int64_t NextDueNs() const;
  Wakeup& wakeup() { return wakeup_; }
  // The host is gone, and says goodbye (a killed process: its kernel resets the connections) or does not (no power).
  // The handler is told nothing.
  void Vanish(bool is_silent);

 private:
  struct Place {
    SimConnectionRef connection;
    int side;
    SimConnection::End& end() const { return connection->ends[static_cast<size_t>(side)]; }
    SimConnection::End& other() const { return connection->ends[static_cast<size_t>(1 - side)]; }
    SimConnection::Direction& outgoing() const { return connection->from[static_cast<size_t>(side)]; }
    SimConnection::Direction& incoming() const { return connection->from[static_cast<size_t>(1 - side)]; }
  };

  void Ring() override { wakeup_.At(clock_.now_ns()); }
  SimConnection::End* Find(ConnectionId id) const;
  ConnectionId Add(const SimConnectionRef& connection, int side);
  void WakeOther(const Place& place, int64_t when_ns);

  void Advance(const Place& place);
  void FinishConnecting(const Place& place);
  void MoveOut(const Place& place);
  void TakeArrived(const Place& place);
  void Deliver(const Place& place);
  void SendReset(const Place& place);
  void Finish(const Place& place, CloseReason reason, int error);

  SimNetwork& network_;
  SimClock& clock_;
  Wakeup& wakeup_;
  const Address host_;
  TransportHandler* handler_ = nullptr;
  std::map<ConnectionId, Place> ends_;
  std::vector<SimConnectionRef> to_accept_;
  ConnectionId last_id_ = 0;
  uint16_t last_port_ = 30'000;
};

}  // namespace headrace::sim
