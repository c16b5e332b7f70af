// Peers that do what a test tells them: they hold a branch and answer from it, honestly or not. What the node said to each is
// kept. One thread: the test's, which turns the engine.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/ports/peer_gateway.h"
#include "tests/support/chain_builder.h"

namespace headrace::testing {

struct ScriptedPeer {
  // What it says it has; headers and blocks are served from it. Null: it answers nothing by itself.
  const ChainBuilder* chain = nullptr;
  uint64_t services = kNodeNetwork | kNodeWitness;
  // Headers that it knows above its own chain: to a locator that begins with one of them it has nothing to add.
  const ChainBuilder* knows = nullptr;
  // Blocks that it has beside the chain, by their hash: what it sends where one of them is asked for.
  std::map<Hash256, SlabRef> loose_blocks;
  // What it sends where this block is asked for; nothing when the result is null. Absent: the block itself.
  std::function<SlabRef(const TestBlock&)> answer;
  // It never answers getheaders, as peers before headers came first.
  bool ignores_getheaders = false;
  // It does not say that there is more behind a full batch of hashes.
  bool forgets_to_continue = false;
  // It says notfound for every block.
  bool has_lost_its_blocks = false;
  // It sends its last header again with every notfound.
  bool repeats_headers = false;
  // It never answers getblocktxn.
  bool keeps_transactions = false;
  // When the node sends it away, the event that says so waits until Leave.
  bool goodbye_is_late = false;

  // Called with every block that the node sends.
  std::function<void(ByteSpan)> on_block;

  // What happened.
  std::vector<Hash256> blocks_asked;
  std::vector<SendHeaders> headers_sent;
  std::vector<SendInventory> inventory_sent;
  std::vector<SendNotFound> not_found_sent;
  std::vector<Hash256> blocks_sent;
  std::vector<uint32_t> types_asked;  // of blocks_asked
  std::vector<SendCompactWish> compact_wishes;
  std::vector<CompactBlock> compact_sent;
  std::vector<BlockTransactionsRequest> transactions_asked;
  std::vector<BlockTransactions> transactions_sent;
  uint32_t headers_asked = 0;
  uint32_t batches_asked = 0;
  std::vector<size_t> batch_sizes;  // of its inventories
  Hash256 continue_hash;
  bool is_disconnected = false;
  bool is_discouraged = false;
  std::string disconnect_reason;
};

class ScriptedPeers : public PeerGateway {
 public:
  // Joins, and says that it has `start_height` blocks; the reference stays valid.
  ScriptedPeer& Connect(PeerId id, const ChainBuilder* chain, int32_t start_height = 0, PeerKind kind = PeerKind::kInbound);
  void Leave(PeerId id);
  // Says a block of its chain as a compact block.
  void SayCompact(PeerId id, const TestBlock& block);
  // Says something out of turn.
  void Say(PeerEvent event) { events_.push_back(std::move(event)); }
  ScriptedPeer& peer(PeerId id) { return peers_.at(id); }

  bool TakeEvents(std::vector<PeerEvent>& events, size_t events_max) override;
  void Submit(std::vector<PeerCommand>& commands) override;
  uint64_t QueuedBytes(PeerId) const override { return 0; }
  bool MaySendHistory() const override { return may_send_history; }
  uint64_t ReceivedBytes(PeerId) const override { return 0; }
  void SetBestHeight(int32_t height) override { best_height = height; }

  int32_t best_height = -1;
  bool may_send_history = true;

 private:
  void AnswerGetHeaders(PeerId id, ScriptedPeer& peer, const SendGetHeaders& question);
  void AnswerGetBlocks(PeerId id, ScriptedPeer& peer, const SendGetBlocks& question);
  void AnswerGetData(PeerId id, ScriptedPeer& peer, const SendGetData& question);
  void AnswerGetBlockTransactions(PeerId id, const ScriptedPeer& peer, const BlockTransactionsRequest& question);

  std::map<PeerId, ScriptedPeer> peers_;
  std::deque<PeerEvent> events_;
};

}  // namespace headrace::testing
