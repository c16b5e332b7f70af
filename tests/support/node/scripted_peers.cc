#include "tests/support/node/scripted_peers.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/limits.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace::testing {

ScriptedPeer& ScriptedPeers::Connect(PeerId id, const ChainBuilder* chain, int32_t start_height, PeerKind kind) {
  ScriptedPeer& peer = peers_[id];
  peer = {};
  peer.chain = chain;
  PeerInfo info;
  info.id = id;
  info.address = "peer-" + std::to_string(id) + ":1";
  info.services = peer.services;
  info.kind = kind;
  info.protocol_version = 70016;
  info.start_height = start_height;
  info.user_agent = "/scripted/";
  Say(PeerConnected{info});
  return peer;
}

void ScriptedPeers::Leave(PeerId id) {
  peers_.at(id).is_disconnected = true;
  Say(PeerDisconnected{id});
}

bool ScriptedPeers::TakeEvents(std::vector<PeerEvent>& events, size_t events_max) {
  const size_t count = std::min(events_max, events_.size());
  for (size_t i = 0; i < count; ++i) {
    events.push_back(std::move(events_.front()));
    events_.pop_front();
  }
  return count != 0;
}

void ScriptedPeers::Submit(std::vector<PeerCommand>& commands) {
  for (PeerCommand& command : commands) {
    std::visit(
        [this](auto& said) {
          using Said = std::decay_t<decltype(said)>;
          if constexpr (!std::is_same_v<Said, std::monostate>) {
            const auto found = peers_.find(said.peer);
            if (found == peers_.end() || found->second.is_disconnected) return;
            ScriptedPeer& peer = found->second;
            if constexpr (std::is_same_v<Said, SendGetHeaders>) AnswerGetHeaders(said.peer, peer, said);
            if constexpr (std::is_same_v<Said, SendGetBlocks>) AnswerGetBlocks(said.peer, peer, said);
            if constexpr (std::is_same_v<Said, SendGetData>) AnswerGetData(said.peer, peer, said);
            if constexpr (std::is_same_v<Said, SendHeaders>) peer.headers_sent.push_back(said);
            if constexpr (std::is_same_v<Said, SendInventory>) peer.inventory_sent.push_back(said);
            if constexpr (std::is_same_v<Said, SendNotFound>) peer.not_found_sent.push_back(said);
            if constexpr (std::is_same_v<Said, SendCompactWish>) peer.compact_wishes.push_back(said);
            if constexpr (std::is_same_v<Said, SendCompactBlock>) peer.compact_sent.push_back(*said.block);
            if constexpr (std::is_same_v<Said, SendBlockTransactions>) peer.transactions_sent.push_back(said.answer);
            if constexpr (std::is_same_v<Said, SendGetBlockTransactions>) {
              peer.transactions_asked.push_back(said.request);
              if (!peer.keeps_transactions) AnswerGetBlockTransactions(said.peer, peer, said.request);
            }
            if constexpr (std::is_same_v<Said, SendBlock>) {
              if (peer.on_block) peer.on_block(said.block.bytes);
              peer.blocks_sent.push_back(BlockHeader::Load(said.block.bytes.data()).Hash());
            }
            if constexpr (std::is_same_v<Said, Disconnect>) {
              peer.is_discouraged = said.discourage;
              peer.disconnect_reason = said.reason;
              peer.is_disconnected = true;
              if (!peer.goodbye_is_late) Leave(said.peer);
            }
          }
        },
        command);
  }
  commands.clear();
}

void ScriptedPeers::AnswerGetHeaders(PeerId id, ScriptedPeer& peer, const SendGetHeaders& question) {
  ++peer.headers_asked;
  if (peer.chain == nullptr || peer.ignores_getheaders) return;
  const auto& blocks = peer.chain->blocks();
  size_t next = 0;
  for (const Hash256& known : question.locator) {
    const auto is_it = [&](const auto& block) { return block->hash == known; };
    if (peer.knows != nullptr) {
      const auto& all = peer.knows->blocks();
      if (std::find_if(all.begin() + static_cast<ptrdiff_t>(blocks.size()), all.end(), is_it) != all.end()) {
        next = blocks.size();
        break;
      }
    }
    const auto found = std::find_if(blocks.begin(), blocks.end(), is_it);
    if (found == blocks.end()) continue;
    next = static_cast<size_t>(found - blocks.begin()) + 1;
    break;
  }
  HeadersReceived answer{id, {}};
  for (; next < blocks.size() && answer.headers.size() < kMaxHeadersPerMessage; ++next) {
    answer.headers.push_back(blocks[next]->header);
  }
  Say(std::move(answer));
}

void ScriptedPeers::AnswerGetBlocks(PeerId id, ScriptedPeer& peer, const SendGetBlocks& question) {
  ++peer.batches_asked;
  if (peer.chain == nullptr) return;
  const auto& blocks = peer.chain->blocks();
  size_t next = 0;
  for (const Hash256& known : question.locator) {
    const auto found = std::find_if(blocks.begin(), blocks.end(), [&](const auto& block) { return block->hash == known; });
    if (found == blocks.end()) continue;
    next = static_cast<size_t>(found - blocks.begin()) + 1;
    break;
  }
  InventoryReceived answer{id, {}};
  for (; next < blocks.size() && answer.items.size() < kMaxBlocksPerGetBlocks; ++next) {
    answer.items.push_back({kInvBlock, blocks[next]->hash});
  }
  if (answer.items.empty()) return;
  peer.batch_sizes.push_back(answer.items.size());
  if (answer.items.size() == kMaxBlocksPerGetBlocks && !peer.forgets_to_continue) peer.continue_hash = answer.items.back().hash;
  Say(std::move(answer));
}

void ScriptedPeers::AnswerGetData(PeerId id, ScriptedPeer& peer, const SendGetData& question) {
  for (const InventoryItem& item : question.items) {
    peer.blocks_asked.push_back(item.hash);
    peer.types_asked.push_back(item.type);
    if (peer.has_lost_its_blocks) {
      Say(NotFoundReceived{id, {item}});
      if (peer.repeats_headers) Say(HeadersReceived{id, {peer.chain->blocks().back()->header}});
      continue;
    }
    if (const auto loose = peer.loose_blocks.find(item.hash); loose != peer.loose_blocks.end()) {
      Say(BlockReceived{id, item.hash, loose->second});
      continue;
    }
    if (peer.chain == nullptr) continue;
    for (const auto& block : peer.chain->blocks()) {
      if (block->hash != item.hash) continue;
      if (item.type == kInvCompactBlock) {
        SayCompact(id, *block);
        continue;
      }
      SlabRef bytes = peer.answer ? peer.answer(*block) : block->raw;
      if (bytes != nullptr) Say(BlockReceived{id, item.hash, std::move(bytes)});
      if (item.hash == peer.continue_hash) Say(InventoryReceived{id, {{kInvBlock, peer.chain->blocks().back()->hash}}});
    }
  }
}

void ScriptedPeers::SayCompact(PeerId id, const TestBlock& block) {
  BlockColumns columns;
  HR_CHECK(DecodeBlock(block.raw->bytes(), columns) == DecodeError::kNone);
  HashTransactions(columns);
  Say(CompactBlockReceived{id, std::make_shared<const CompactBlock>(MakeCompactBlock(columns, id))});
}

void ScriptedPeers::AnswerGetBlockTransactions(PeerId id, const ScriptedPeer& peer, const BlockTransactionsRequest& question) {
  if (peer.chain == nullptr) return;
  for (const auto& block : peer.chain->blocks()) {
    if (block->hash != question.block) continue;
    BlockTransactions answer{question.block, {}};
    for (const uint32_t index : question.indexes) answer.transactions.push_back(block->transactions.at(index).Serialize());
    Say(BlockTransactionsReceived{id, std::make_shared<const BlockTransactions>(std::move(answer))});
  }
}

}  // namespace headrace::testing
