#include "tests/sim/world_options.h"

namespace headrace::sim {

Address HostAddress(int node) { return Address::Ipv4(10, static_cast<uint8_t>(node + 16), 0, 1, 8333); }

WorldOptions DrawWorldOptions(uint64_t seed) {
  SimEntropy entropy(seed);
  WorldOptions options;
  options.seed = seed;
  options.ticks = static_cast<uint64_t>(entropy.Between(20'000, 60'000));
  options.nodes = static_cast<int>(entropy.Between(2, 5));
  options.adversaries = static_cast<int>(entropy.Between(0, 4));
  // Each class is at rest in some worlds, so that what it hides can be seen in others.
  for (const FaultClassName& fault : kFaultClassNames) {
    const bool is_rare = fault.fault == kBitRot;
    if (is_rare ? !entropy.OneIn(5) : entropy.OneIn(5)) options.faults &= ~uint32_t{fault.fault};
  }
  options.mining_interval_ns = entropy.Edgy(100, 3'000) * kNsPerMs;
  options.fault_interval_ns = entropy.Edgy(300, 10'000) * kNsPerMs;
  options.reorganisation_depth_max = static_cast<uint32_t>(entropy.Edgy(1, 12));
  options.transactions_max = static_cast<uint32_t>(entropy.Edgy(0, 10));
  options.compare_every = static_cast<uint32_t>(entropy.Between(1, 6));
  options.network.delay_min_ns = entropy.Edgy(0, 20) * kNsPerMs;
  options.network.delay_max_ns = options.network.delay_min_ns + entropy.Edgy(0, 200) * kNsPerMs;
  options.network.chunk_bytes_max = static_cast<uint64_t>(entropy.Edgy(200, 16'384));
  options.network.window_bytes = static_cast<uint64_t>(entropy.Edgy(2'048, 128 << 10));
  options.has_compact_liar = entropy.OneIn(2);
  return options;
}

SimNodeOptions DrawNodeOptions(SimEntropy& entropy) {
  SimNodeOptions options;
  PipelineOptions& pipeline = options.node.pipeline;
  const bool is_tiny = !entropy.OneIn(3);
  pipeline.window_blocks_max = static_cast<uint32_t>(is_tiny ? entropy.Between(1, 3) : entropy.Between(1, 32));
  pipeline.window_bytes_max = static_cast<uint64_t>(entropy.Edgy(1'000, 200'000));
  pipeline.ahead_bytes_max = static_cast<uint64_t>(entropy.Edgy(1, 100'000));
  pipeline.ready_bytes_max = static_cast<uint64_t>(entropy.Edgy(1'000, 200'000));
  // What is ahead, a window, and blocks that come meanwhile.
  pipeline.moving_bytes_max = pipeline.ahead_bytes_max + 2 * pipeline.window_bytes_max + 50'000;
  pipeline.kept_below_bytes = pipeline.ready_bytes_max;
  pipeline.read_ahead_blocks = static_cast<uint32_t>(is_tiny ? entropy.Between(1, 3) : entropy.Between(1, 64));
  pipeline.graph_blocks_max = static_cast<uint32_t>(entropy.Edgy(2, 64));
  pipeline.ready_blocks_max = static_cast<uint32_t>(entropy.Edgy(2, 64));
  pipeline.ahead_blocks_max = static_cast<uint32_t>(entropy.Edgy(1, 32));
  pipeline.checkpoint_interval_ns = entropy.Edgy(500, 30'000) * kNsPerMs;
  // Half of the nodes think a few blocks are worth no checkpoint.
  pipeline.checkpoint_replay_bytes_min = entropy.OneIn(2) ? static_cast<uint64_t>(entropy.Edgy(1'000, 30'000)) : 0;
  options.node.download.window_blocks = static_cast<uint32_t>(entropy.Edgy(1, 64));
  options.node.download.in_flight_per_peer_max = static_cast<uint32_t>(entropy.Edgy(1, 16));
  // Blocks that wait for the one before them must never be enough to stop the node from listening for it.
  options.node.download.budget_bytes =
      (pipeline.ready_bytes_max + pipeline.ahead_bytes_max + pipeline.window_bytes_max) / 2 +
      static_cast<uint64_t>(entropy.Edgy(20'000, 1 << 20));

  PeerHubOptions& hub = options.hub;
  hub.inbound_max = static_cast<size_t>(entropy.Between(8, 24));
  // Some are of the old kind.
  options.node.syncs_by_inventory = hub.inbound_max % 5 == 0;
  hub.wants_headers = !options.node.syncs_by_inventory;
  hub.connect_timeout_ms = entropy.Between(500, 5'000);
  hub.handshake_timeout_ms = entropy.Between(3'000, 20'000);
  hub.ping_interval_ms = entropy.Between(2'000, 20'000);
  hub.pong_timeout_ms = entropy.Between(15'000, 60'000);
  hub.inactivity_timeout_ms = entropy.Between(60'000, 200'000);
  hub.reconnect_delay_max_ms = entropy.Between(500, 8'000);
  hub.events_max = size_t{2} << entropy.Below(6);
  hub.event_bytes_max = static_cast<uint64_t>(entropy.Edgy(500, 200'000));
  hub.commands_max = size_t{2} << entropy.Below(6);
  hub.send_queue_bytes_max = static_cast<uint64_t>(entropy.Edgy(400'000, 2 << 20));
  hub.growing_bytes_max = uint64_t{32} << 20;

  // Two of three look for peers beside those that they were given.
  if (!entropy.OneIn(3)) {
    DiscoveryOptions& discovery = hub.discovery.emplace();
    discovery.accepts_unroutable = true;
    discovery.outbound.full_relay_max = entropy.Below(4);
    discovery.outbound.block_relay_max = entropy.Below(3);
    discovery.outbound.feeler_interval_ms = entropy.Between(500, 20'000);
    discovery.image_interval_ms = entropy.Edgy(500, 60'000);
    discovery.image_delay_ms = entropy.Edgy(1, 5'000);
  }

  options.block_file_bytes_max = static_cast<uint32_t>(entropy.Edgy(2'000, 300'000));
  options.coin_cache_bytes = static_cast<uint64_t>(entropy.Edgy(10'000, 4 << 20));
  options.hold_one_in = static_cast<uint64_t>(entropy.Edgy(2, 100));
  options.hold_ns_max = entropy.Edgy(1, 1'000) * kNsPerMs;
  for (int64_t& turn_ns_max : options.turn_ns_max) turn_ns_max = entropy.Edgy(10'000, 4 * kNsPerMs);
  return options;
}

}  // namespace headrace::sim
