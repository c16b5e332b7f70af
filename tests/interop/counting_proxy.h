// A TCP relay on loopback that stands between a syncing node and its peer and counts what passes, so that claims about
// downloads rest on the wire and not on the node's own counters. It can also slow the blocks down.
//
// A thread of its own; the counters may be read from any thread at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "engine/primitives/hash256.h"

namespace headrace::testing {

class CountingProxy {
 public:
  // Relays to 127.0.0.1:`target_port`. `bytes_per_second` bounds what flows to the syncing node; 0 is no bound.
  CountingProxy(uint16_t target_port, uint64_t bytes_per_second);
  ~CountingProxy();

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Whole `block` messages that were handed to the syncing node, over all connections.
  uint64_t blocks_delivered() const { return blocks_delivered_; }
  // Their hashes, in order, since the last call.
  std::vector<Hash256> TakeDelivered();
  // The most blocks that were asked for on one connection and not yet delivered. Never more than the node's own count,
  // because a block counts as delivered here before the node can have read it.
  uint64_t blocks_in_flight_max() const { return blocks_in_flight_max_; }
  uint64_t connections() const { return connections_; }
  // The first 80 bytes of the last version message that the syncing node sent: everything up to its nonce. Empty before.
  std::vector<uint8_t> VersionStart();
  // Messages with this command from the syncing node to its peer.
  uint64_t messages_from_node(const std::string& command) const;
  // The count that each message with this command from the peer began with, in order: hashes of an `inv`, headers of `headers`.
  std::vector<uint64_t> counts_to_node(const std::string& command) const;

 private:
  struct Connection;

  void Run();
  // False when the connection has ended.
  bool Relay(Connection& connection, bool is_to_node);

  const uint16_t target_port_;
  const uint64_t bytes_per_second_;
  uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stops_{false};
  std::atomic<uint64_t> blocks_delivered_{0};
  std::atomic<uint64_t> blocks_in_flight_max_{0};
  std::atomic<uint64_t> connections_{0};
  mutable std::mutex counts_mutex_;
  std::map<std::string, uint64_t> messages_from_node_;
  std::map<std::string, std::vector<uint64_t>> counts_to_node_;
  std::mutex delivered_mutex_;
  std::vector<Hash256> delivered_;
  std::vector<uint8_t> version_start_;  // under the same mutex
  std::thread thread_;
};

}  // namespace headrace::testing
