// Which block is asked of whom: a window over the chain of most work that connected peers have and deliver, spread over
// all peers, with at most `in_flight_per_peer_max` requests to each (MAX_BLOCKS_IN_TRANSIT_PER_PEER) and a byte budget
// over all. (protocol.md §4)
//
// A block goes to the peer from which it is expected first: what that peer still owes over its measured rate, or its
// round trip where that is longer, and the block itself. Each peer has a number of requests of its own, at most the
// limit: one more with every block that comes within `kAnswerNs` of its request, one less with every block that takes
// twice as long. So a short, fast line is kept full and the queue on a slow one short: what is asked of it is here
// soon, and the window behind it stays small. A block that a slow line would bring after its turn is left for a faster
// one that is busy just now: the slow one gets a later block.
//
// The lowest missing block (the frontier) is always admitted, and nothing that is under way is thrown away for it:
//  - A peer that sends nothing of use for `kDoubtNs` is doubted. Its blocks are asked of others as well, and no more of
//    it; when it goes on, what it sends counts. Bytes are what is looked at: a large block on a slow line is no
//    silence, a byte a second is.
//  - A frontier that is overdue, or that another would bring in half the time, is asked of that one as well.
//  - A doubted peer that had the frontier, or that others overtook by a whole peer's worth of blocks, is given
//    `stall_timeout` in all (2 s, doubled up to 64 s when several stall, decaying again) and then replaced; one from
//    which no block came for `kBlockTimeoutNs` likewise.
//
// Near the tip, after the initial download, a block is asked of up to `kParallelRequestsMax` peers, the last of them
// one that we connected to: when it does not come at once, and when several announce it by compact blocks
// (compact_blocks.h). The first that is whole counts. What others were asked for whole they still send, and until then
// it is one of their requests; what they were to send by compact blocks they owe no longer.
//
// Engine thread only. Assign costs one pass over the window (1024 entries) when some peer has room; Tick costs another.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "engine/chain/header_tree.h"
#include "engine/sync/peer_fault.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

struct BlockDownloadOptions {
  uint32_t window_blocks = 1024;
  uint32_t in_flight_per_peer_max = 16;
  // Memory for blocks: what was asked for, and what the pipeline holds. Operators are told 128 MiB: the rest of them is for
  // what nobody counts, which is the program, its threads, messages that were not taken yet and the allocator's slack.
  uint64_t budget_bytes = uint64_t{96} << 20;
  // No block above this height is asked for (-stopatheight).
  uint32_t height_max = UINT32_MAX;
};

class BlockDownload {
 public:
  static constexpr int64_t kStallTimeoutMinNs = int64_t{2} * 1'000'000'000;
  static constexpr int64_t kStallTimeoutMaxNs = int64_t{64} * 1'000'000'000;
  // So long a peer may be silent, or twice its round trip where that is longer, before others are asked for the same.
  static constexpr int64_t kDoubtNs = int64_t{800} * 1'000'000;
  // How long a block should take from its request, queue included; or twice the round trip where that is longer.
  static constexpr int64_t kAnswerNs = int64_t{800} * 1'000'000;
  // So long the frontier is waited for before anybody is asked for it a second time.
  static constexpr int64_t kFrontierPatienceNs = int64_t{500} * 1'000'000;
  // What a peer is asked for before its first block has come, in bytes.
  static constexpr double kFirstBytes = 2'000'000;
  // A pace at which a block takes longer than this is silence; so is one below what small messages make.
  static constexpr int64_t kPaceNs = int64_t{60} * 1'000'000'000;
  static constexpr double kPaceBytesMin = 16'384;
  // A peer that says notfound for more blocks than this, of headers that it showed, is of no use.
  static constexpr size_t kLackingBlocksMax = 16;
  // So long a block is not asked again of a peer that said notfound.
  static constexpr int64_t kLackingNs = int64_t{60} * 1'000'000'000;
  static constexpr int64_t kBlockTimeoutNs = int64_t{60} * 1'000'000'000;
  static constexpr size_t kParallelRequestsMax = 3;
  // So few blocks from the target the node is near the tip.
  static constexpr size_t kNearTipBlocks = 2;
  // So long after the last request somebody else is asked as well, near the tip.
  static constexpr int64_t kParallelRequestNs = int64_t{500} * 1'000'000;

  BlockDownload(const HeaderTree& tree, SyncPeers& peers, const BlockDownloadOptions& options);

  // Whether the initial download is over: only then blocks are asked of several peers at once.
  void SetAtTip(bool is_at_tip) { is_at_tip_ = is_at_tip; }

  // Fills the free places of every peer. `pending_bytes`: of the budget, what is in use or not to be used now.
  void Assign(uint64_t pending_bytes, int64_t now_ns, std::vector<PeerCommand>& commands);

  // A block arrived; nothing when nobody was asked for it. Until OnSettled it is not asked for again.
  std::optional<HeaderId> OnBlock(PeerId peer, const Hash256& hash, uint64_t size_bytes, int64_t now_ns);
  // The same for one that came together from the peer's compact block and was in flight to it. A whole copy that the peer was
  // asked for besides is on its way all the same, and stays one of its requests until it is here.
  std::optional<HeaderId> OnRebuilt(PeerId peer, HeaderId id, uint64_t size_bytes, int64_t now_ns);
  // Whether the peer may be asked for this block now, beside those who are asked already. For whoever asks by compact
  // blocks: then TakePlaceCompactly counts the block as in flight to the peer, until it comes or the peer goes.
  bool HasPlace(const SyncPeer& peer, HeaderId id) const;
  void TakePlaceCompactly(SyncPeer& peer, HeaderId id, int64_t now_ns);
  // A block of the tree that was found by inventory is here: it is not asked for again before OnSettled.
  void OnArrived(HeaderId id) { arrived_.insert(id); }
  // The block is stored, or turned out to be unusable and must come from somebody else.
  void OnSettled(HeaderId id);
  void OnNotFound(const NotFoundReceived& message, int64_t now_ns);
  void OnDisconnected(PeerId peer);
  // What the peer's connection has brought so far, messages that are not complete included. Before each Tick.
  void OnReceivedBytes(PeerId peer, uint64_t received_bytes, int64_t now_ns);
  // Messages wait because this node does not take them: nobody is late meanwhile.
  void ForgiveSilence(int64_t now_ns);
  // Every 100 ms or so.
  void Tick(int64_t now_ns, std::vector<PeerCommand>& commands);

  size_t in_flight_count() const { return in_flight_.size(); }
  // What all lines together bring within a second, if that is no more than half of the budget: so much is asked for even while blocks
  // that came out of order are worked off, or the lines would run dry each time a slow one has filled a gap. 0 for faster lines: they
  // would be ahead of the node, and what has no room in memory is read and parsed a second time. 0 for a single line too: what comes over
  // it is in order.
  uint64_t BusyBytes() const;
  bool is_in_flight(HeaderId id) const { return in_flight_.contains(id); }
  uint32_t in_flight_per_peer_max_ever() const { return in_flight_per_peer_max_ever_; }
  // Whether a peer could be asked for anything now: when not, the node waits for peers.
  bool any_peer_has_blocks() const;
  // Whether a peer that delivers has shown a chain of more work than that of `tip`.
  bool is_better_chain_offered(HeaderId tip) const;

 private:
  HeaderId Target() const;
  HeaderId BestOffered(bool by_withholders) const;
  void RebuildWindow();
  bool Has(const SyncPeer& peer, HeaderId id) const;
  bool IsMissing(HeaderId id) const;
  bool IsNearTip() const { return is_at_tip_ && window_.size() <= kNearTipBlocks; }
  // Whether so few are asked for the block that this one may be, too.
  bool MayJoin(const SyncPeer& peer, HeaderId id) const;
  // How many requests a peer may have: as many as keep its pipe full, or, for blocks that are late, as many as the
  // limit allows.
  enum class Room : uint8_t { kOwn, kOfLimit };
  // The peer from which the block is expected first, of those that have it, have room and were not asked for it yet.
  // Near the tip nobody is the fourth.
  SyncPeer* ChoosePeer(HeaderId id, bool doubted, Room room);
  // Whether a busy peer will bring the block in half the time that `peer` would take from now.
  bool IsFasterElsewhere(const SyncPeer& peer, HeaderId id) const;
  void MeasureAverageRate();
  // Of all peers together that can be asked.
  double SumOfRates() const;
  // From now until a block is here when so many are owed before it.
  int64_t ExpectedNs(const SyncPeer& peer, size_t blocks_before) const;
  int64_t ExpectedNs(const SyncPeer& peer) const;
  uint32_t RequestsOf(const SyncPeer& peer) const;
  bool HasRoom(const SyncPeer& peer) const { return peer.request_count() < RequestsOf(peer); }
  void Hear(SyncPeer& peer, int64_t now_ns);
  void MeasureRoundTrip(SyncPeer& peer, int64_t now_ns);
  void MeasureAnswer(SyncPeer& peer, int64_t answer_ns);
  // Whether somebody is trusted to bring the block.
  bool IsUnderWay(HeaderId id, int64_t now_ns) const;
  void GuessBlockSize();
  void OnCame(HeaderId id);
  // The answer to the request is here; those before it were left out so far.
  void EndRequest(SyncPeer& peer, std::vector<BlockRequest>::iterator request, int64_t now_ns);
  // Whoever waited for the block need not any more. Nothing when it was here before.
  std::optional<HeaderId> Take(SyncPeer& peer, HeaderId id, uint64_t size_bytes, int64_t now_ns);
  void Ask(SyncPeer& peer, HeaderId id, int64_t now_ns);
  void EraseRequest(PeerId peer, HeaderId id);
  void ReleaseAll(SyncPeer& peer);
  void SendAway(SyncPeer& peer, PeerFault fault, std::vector<PeerCommand>& commands);
  void LookForSilence(int64_t now_ns);
  void AskAlso(SyncPeer& peer, HeaderId id, int64_t now_ns, std::vector<PeerCommand>& commands);
  void RescueFrontier(int64_t now_ns, std::vector<PeerCommand>& commands);
  void AskInParallel(int64_t now_ns, std::vector<PeerCommand>& commands);
  void ReplaceStalled(int64_t now_ns, std::vector<PeerCommand>& commands);
  void ReplaceIdle(int64_t now_ns, std::vector<PeerCommand>& commands);

  const HeaderTree& tree_;
  SyncPeers& peers_;
  const BlockDownloadOptions options_;

  std::vector<HeaderId> window_;  // of the target's chain, ascending, the frontier first
  uint32_t frontier_height_ = 1;  // every block of the target's chain below it has data
  HeaderId frontier_parent_ = 0;
  HeaderId waited_for_ = kNoHeader;  // the frontier at the last Tick, and since when
  int64_t waited_since_ns_ = 0;
  // Of whom a block that is not here was asked, in this order; never empty, and each has the request.
  absl::flat_hash_map<HeaderId, std::vector<PeerId>> in_flight_;
  absl::flat_hash_set<HeaderId> arrived_;  // received, not yet settled
  bool is_at_tip_ = false;
  double average_block_bytes_ = 250'000;
  bool has_seen_sizes_ = false;
  double average_rate_ = 1'000'000;  // of peers that were measured
  int64_t stall_timeout_ns_ = kStallTimeoutMinNs;
  uint32_t in_flight_per_peer_max_ever_ = 0;
  uint64_t blocks_received_ = 0;
};

}  // namespace headrace
