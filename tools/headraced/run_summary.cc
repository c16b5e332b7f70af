#include "tools/headraced/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/config/text.h"

namespace headrace {
namespace {

std::string LengthClassName(size_t at) {
  constexpr auto& kBounds = SpanLengths::kBoundsMs;
  return at < kBounds.size() ? fmt::format("<={}", kBounds[at]) : fmt::format(">{}", kBounds.back());
}

nlohmann::ordered_json CoinStoreObject(const CoinStoreCounters& store) {
  nlohmann::ordered_json object;
  object["segment_bytes_written"] = store.segment_bytes_written;
  object["image_bytes_written"] = store.image_bytes_written;
  object["disk_bytes"] = store.disk_bytes;
  const CoinColdReads& cold = store.cold_reads;
  const double busy_seconds = static_cast<double>(cold.busy_ns) / 1e9;
  nlohmann::ordered_json& reads = object["cold_reads"];
  reads["reads"] = cold.reads;
  reads["pages"] = cold.pages;
  reads["in_flight_max"] = cold.in_flight_max;
  reads["in_flight_average"] = cold.busy_ns != 0 ? static_cast<double>(cold.waited_ns) / static_cast<double>(cold.busy_ns) : 0;
  reads["seconds"] = busy_seconds;
  reads["reads_per_second"] = cold.busy_ns != 0 ? static_cast<double>(cold.reads) / busy_seconds : 0;
  return object;
}

void RaiseTo(uint64_t& most, uint64_t value) { most = std::max(most, value); }

}  // namespace

void RunSummary::Start(const NodeStatus& first, int64_t now_ns) {
  start_height_ = first.applied_height;
  start_ns_ = end_ns_ = last_applied_ns_ = now_ns;
  last_ = first;
}

void RunSummary::ObserveMemory(const NodeStatus& status, const ProcessUsage& usage) {
  const CoinStoreMemory& coins = status.coin_store.memory;
  RaiseTo(coin_memory_max_.index_bytes, coins.index_bytes);
  RaiseTo(coin_memory_max_.young_bytes, coins.young_bytes);
  RaiseTo(coin_memory_max_.free_bytes, coins.free_bytes);
  RaiseTo(coin_memory_max_.written_bytes, coins.written_bytes);
  RaiseTo(coin_memory_max_.filling_bytes, coins.filling_bytes);
  RaiseTo(coin_memory_max_.copies_bytes, coins.copies_bytes);
  RaiseTo(coin_memory_max_.window_bytes, coins.window_bytes);
  RaiseTo(coin_memory_sum_max_, coins.total_bytes());
  const BlockMemory& blocks = status.block_memory;
  RaiseTo(block_memory_max_.slab_bytes, blocks.slab_bytes);
  RaiseTo(block_memory_max_.working_bytes, blocks.working_bytes);
  RaiseTo(block_memory_max_.pool_bytes, blocks.pool_bytes);
  RaiseTo(block_memory_max_.undo_bytes, blocks.undo_bytes);
  RaiseTo(block_memory_sum_max_, blocks.total_bytes());
  const uint64_t counted = coins.total_bytes() + blocks.total_bytes();
  RaiseTo(counted_max_, counted);
  RaiseTo(anonymous_max_, usage.anonymous_bytes);
  RaiseTo(uncounted_max_, usage.anonymous_bytes - std::min(usage.anonymous_bytes, counted));
}

void RunSummary::Observe(const NodeStatus& status, const ProcessUsage& usage, int64_t now_ns) {
  ObserveMemory(status, usage);
  if (status.blocks_applied > last_.blocks_applied) last_applied_ns_ = now_ns;
  for (const PeerStatus& peer : status.peers) {
    const bool has_part = peer.blocks_received > 0 || peer.blocks_served > 0;
    if (has_part && (peers_.size() < kPeersMax || peers_.contains(peer.id))) peers_[peer.id] = peer;
  }
  last_ = status;
  end_ns_ = now_ns;
}

void RunSummary::Finish(const NodeStatus& last, const ProcessUsage& usage, int64_t now_ns) {
  Observe(last, usage, now_ns);
  usage_ = usage;
}

double RunSummary::SyncSeconds() const { return static_cast<double>(last_applied_ns_ - start_ns_) / 1e9; }

double RunSummary::PerSecond(uint64_t total) const {
  const double seconds = SyncSeconds();
  return seconds > 0 ? static_cast<double>(total) / seconds : 0;
}

uint64_t RunSummary::BlocksOfAllPeers() const {
  uint64_t blocks = 0;
  for (const auto& [id, peer] : peers_) blocks += peer.blocks_received;
  return blocks;
}

std::string RunSummary::ToText() const {
  std::string text = fmt::format("Stopped on {} at height {} of {} (from {}), best block {}\n", last_.chain,
                                 last_.applied_height, last_.header_height, start_height_, last_.applied_hash.ToHex());
  text += fmt::format("  blocks {} ({:.1f} MB), transactions {}, inputs {}, unspent outputs {}\n", last_.blocks_applied,
                      static_cast<double>(last_.block_bytes) / 1e6, last_.transactions, last_.inputs,
                      last_.coin_store.coins);
  text += fmt::format("  scripts verified {}, skipped under assumevalid {}\n", last_.scripts_verified, last_.scripts_skipped);
  text += fmt::format("  {:.1f} s until the last block, {:.1f} s of processor time: {:.2f} MB/s, {:.0f} tx/s, {:.0f} inputs/s\n",
                      SyncSeconds(), usage_.cpu_seconds, PerSecond(last_.block_bytes) / 1e6,
                      PerSecond(last_.transactions), PerSecond(last_.inputs));
  text += fmt::format("  memory at most {:.0f} MB, {:.1f} MB written, {} checkpoints, {} reorganisations\n",
                      static_cast<double>(usage_.resident_bytes_max) / 1e6,
                      static_cast<double>(last_.disk_bytes_written()) / 1e6, last_.coin_store.checkpoints,
                      last_.reorganisations);
  const uint64_t blocks = std::max<uint64_t>(BlocksOfAllPeers(), 1);
  for (const auto& [id, peer] : peers_) {
    if (peer.blocks_received == 0) continue;
    text += fmt::format("  peer {} {}: {} blocks ({:.0f} %), at most {} in flight\n", id, peer.address,
                        peer.blocks_received, 100.0 * static_cast<double>(peer.blocks_received) / static_cast<double>(blocks),
                        peer.blocks_in_flight_max);
  }
  return text;
}

std::string RunSummary::ToJson() const {
  nlohmann::ordered_json object;
  object["version"] = HEADRACE_VERSION;
  object["chain"] = last_.chain;
  object["start_height"] = start_height_;
  object["height"] = last_.applied_height;
  object["header_height"] = last_.header_height;
  object["durable_height"] = last_.durable_height;
  object["best_block"] = last_.applied_hash.ToHex();
  object["seconds"] = static_cast<double>(end_ns_ - start_ns_) / 1e9;
  object["sync_seconds"] = SyncSeconds();
  object["cpu_seconds"] = usage_.cpu_seconds;
  object["blocks"] = last_.blocks_applied;
  object["block_bytes"] = last_.block_bytes;
  object["transactions"] = last_.transactions;
  object["inputs"] = last_.inputs;
  object["coins"] = last_.coin_store.coins;
  object["scripts_verified"] = last_.scripts_verified;
  object["scripts_skipped"] = last_.scripts_skipped;
  object["blocks_downloaded"] = last_.blocks_downloaded;
  object["reorganisations"] = last_.reorganisations;
  object["checkpoints"] = last_.coin_store.checkpoints;
  object["disk_bytes_written"] = last_.disk_bytes_written();
  object["coin_store"] = CoinStoreObject(last_.coin_store);
  object["memory_resident_bytes_max"] = usage_.resident_bytes_max;
  object["memory_anonymous_bytes_max"] = anonymous_max_;
  const auto parts = [](std::initializer_list<std::pair<const char*, uint64_t>> rows) {
    nlohmann::ordered_json part;
    for (const auto& [name, bytes] : rows) part[name] = bytes;
    return part;
  };
  nlohmann::ordered_json& memory = object["memory_bytes_max"];
  memory["coins"] = parts({{"index", coin_memory_max_.index_bytes},
                           {"young", coin_memory_max_.young_bytes},
                           {"free", coin_memory_max_.free_bytes},
                           {"written", coin_memory_max_.written_bytes},
                           {"filling", coin_memory_max_.filling_bytes},
                           {"copies", coin_memory_max_.copies_bytes},
                           {"window", coin_memory_max_.window_bytes},
                           {"sum", coin_memory_sum_max_}});
  memory["blocks"] = parts({{"slabs", block_memory_max_.slab_bytes},
                            {"working", block_memory_max_.working_bytes},
                            {"pool", block_memory_max_.pool_bytes},
                            {"undo", block_memory_max_.undo_bytes},
                            {"sum", block_memory_sum_max_}});
  memory["sum"] = counted_max_;
  memory["rest"] = uncounted_max_;
  object["blocks_in_flight_max_per_peer"] = last_.blocks_in_flight_max_per_peer;
  object["megabytes_per_second"] = PerSecond(last_.block_bytes) / 1e6;
  object["transactions_per_second"] = PerSecond(last_.transactions);
  object["inputs_per_second"] = PerSecond(last_.inputs);
  object["stage_seconds"] = nlohmann::ordered_json::object();
  for (size_t kind = 0; kind < kSpanKindCount; ++kind) {
    object["stage_seconds"][std::string(SpanKindName(static_cast<SpanKind>(kind)))] = static_cast<double>(last_.span_ns[kind]) / 1e9;
  }
  object["stage_ms"] = nlohmann::ordered_json::object();
  for (size_t kind = 0; kind < kSpanKindCount; ++kind) {
    const SpanLengths& lengths = last_.span_lengths[kind];
    if (lengths.longest_ns == 0) continue;
    nlohmann::ordered_json& row = object["stage_ms"][std::string(SpanKindName(static_cast<SpanKind>(kind)))];
    for (size_t at = 0; at < lengths.count.size(); ++at) {
      if (lengths.count[at] != 0) row[LengthClassName(at)] = lengths.count[at];
    }
    row["longest"] = static_cast<double>(lengths.longest_ns) / 1e6;
  }
  object["peers"] = nlohmann::ordered_json::array();
  const uint64_t blocks = std::max<uint64_t>(BlocksOfAllPeers(), 1);
  for (const auto& [id, peer] : peers_) {
    nlohmann::ordered_json row;
    row["id"] = id;
    row["address"] = peer.address;
    row["inbound"] = peer.is_inbound;
    row["user_agent"] = peer.user_agent;
    row["start_height"] = peer.start_height;
    row["blocks"] = peer.blocks_received;
    row["bytes"] = peer.block_bytes_received;
    row["share"] = static_cast<double>(peer.blocks_received) / static_cast<double>(blocks);
    row["blocks_in_flight_max"] = peer.blocks_in_flight_max;
    row["blocks_served"] = peer.blocks_served;
    object["peers"].push_back(std::move(row));
  }
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace headrace
