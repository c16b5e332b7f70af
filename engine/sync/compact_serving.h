// Blocks for peers that know most of their transactions: compact blocks of the newest blocks, and the transactions of
// them that a peer lacks. Older ones go out whole: nobody has their transactions at hand any more. (BIP152; protocol.md
// §4)
//
// Engine thread. Decoding a block and hashing it is done once while it is new; then a compact block of it is there, and
// an answer to getblocktxn costs what it copies. Of a block is kept where its transactions are: four bytes each.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/chain/active_chain.h"
#include "engine/chain/header_tree.h"
#include "engine/ports/block_store.h"
#include "engine/ports/entropy.h"
#include "engine/sync/sync_peer.h"

namespace headrace {

class CompactServing {
 public:
  // BIP152's depths, counted from the tip: for compact blocks, and for single transactions.
  static constexpr uint32_t kCompactDepthMax = 5;
  static constexpr uint32_t kTransactionsDepthMax = 10;
  // Questions that wait for a peer's queue to have room; an honest peer has one or two.
  static constexpr size_t kWantedMax = 16;

  CompactServing(const HeaderTree& tree, const ActiveChain& chain, const BlockStore& blocks, Entropy& entropy,
                 SyncPeers& peers);

  // The block `id`, whose data is here, as a compact block.
  absl::StatusOr<std::shared_ptr<const CompactBlock>> CompactOf(HeaderId id);

  // Takes the questions for new blocks as compact blocks out of the message; they wait for Step. Those for older ones
  // become questions for the whole block.
  void OnGetData(GetDataReceived& message);
  // The question waits for Step; about an older block it becomes one for the whole block, about an unknown one it is
  // forgotten.
  void OnGetBlockTransactions(const GetBlockTransactionsReceived& message);
  // Blocks of which is known where their transactions are.
  size_t decoded_count() const { return decoded_.size(); }
  // Answers what peers wait for while their queues have room, one getblocktxn of each at a time. True when something
  // was sent. A failing disk is a Status.
  absl::StatusOr<bool> Step(const PeerGateway& gateway, std::vector<PeerCommand>& commands);

 private:
  struct Made {
    HeaderId id;
    std::shared_ptr<const CompactBlock> block;
  };

  // Transaction t of the block is [begin[t], begin[t + 1]) of its bytes.
  struct Decoded {
    HeaderId id;
    std::vector<uint32_t> begin;
  };

  // The block's columns, from bytes that are looked at whole: what is sent damaged would be held against this node.
  absl::StatusOr<BlockColumns> Decode(HeaderId id, ByteSpan raw) const;
  const Decoded& Keep(HeaderId id, const BlockColumns& columns);
  absl::StatusOr<const Decoded*> DecodedOf(HeaderId id, ByteSpan raw);
  // Whether the block is of the chain, at most so deep, and its data is here.
  bool IsWithin(HeaderId id, uint32_t depth) const;
  absl::Status SendCompact(SyncPeer& peer, std::vector<PeerCommand>& commands);
  absl::Status Answer(SyncPeer& peer, const BlockTransactionsRequest& request, std::vector<PeerCommand>& commands);

  const HeaderTree& tree_;
  const ActiveChain& chain_;
  const BlockStore& blocks_;
  Entropy& entropy_;
  SyncPeers& peers_;
  std::deque<Made> made_;        // the oldest first
  std::deque<Decoded> decoded_;  // the same, down to the depth of single transactions
};

}  // namespace headrace
