// What a liar does without being asked.

#include "engine/base/limits.h"
#include "engine/consensus/chain_params.h"
#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/small_messages.h"
#include "tests/sim/adversary.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

constexpr uint32_t kRegtestBits = 0x207fffff;
constexpr int kFloodMessages = 30;

BlockHeader MineHeader(const Hash256& previous, uint32_t time_s, SimEntropy& entropy) {
  BlockHeader header;
  header.version = 0x20000000;
  header.previous = previous;
  entropy.Fill(header.merkle_root.bytes);
  header.time_s = time_s;
  header.bits = kRegtestBits;
  while (header.Hash().bytes[31] >= 0x7f) ++header.nonce;
  return header;
}

}  // namespace

void Adversary::Act(ConnectionId connection) {
  const Peer& peer = peers_.at(connection);
  switch (habit_) {
    case Habit::kGarbles:
      if (peer.is_greeted || entropy_.OneIn(4)) Garble(connection);
      return;
    case Habit::kAnnouncesHuge:
      AnnounceHuge(connection);
      return;
    default:
      break;
  }
  if (!peer.is_greeted) return;
  switch (habit_) {
    case Habit::kHelps:
    case Habit::kMutates:
    case Habit::kInvents:
    case Habit::kHasNothing:
      // A block that nobody asked for, now and then.
      if (!branch_.empty() && entropy_.OneIn(4)) SendBlock(connection, branch_[entropy_.Below(branch_.size())]->raw);
      return Announce(connection);
    case Habit::kWithholds:
      // Sooner or later it gives them out after all.
      if (entropy_.OneIn(6)) withheld_.clear();
      return Announce(connection);
    case Habit::kStalls:
    case Habit::kDrips:
      return Announce(connection);
    case Habit::kLiesCompactly:
      if (entropy_.OneIn(4)) AskAboutTransactions(connection);
      // By headers now and then: whoever delivers a block whole may be asked to announce the next ones at once.
      return !is_compact_alone_ && entropy_.OneIn(8) ? Announce(connection) : ShowCompact(connection);
    case Habit::kShowsLowWork:
      return ShowLowWork(connection);
    case Habit::kDoesNotConnect:
      return ShowUnconnected(connection);
    case Habit::kShowsBadHeaders:
      return ShowBadHeader(connection);
    case Habit::kFloods:
      return Flood(connection);
    default:
      return;
  }
}

void Adversary::ShowLowWork(ConnectionId connection) {
  const ModelBlock* fork = branch_.empty() ? &world_.model().genesis() : branch_[entropy_.Below(branch_.size())];
  std::vector<BlockHeader> headers;
  Hash256 previous = fork->hash;
  const uint64_t count = entropy_.Between(1, 40);
  for (uint64_t i = 0; i < count; ++i) {
    headers.push_back(MineHeader(previous, fork->header.time_s + 4'000 + static_cast<uint32_t>(i), entropy_));
    previous = headers.back().Hash();
  }
  std::vector<uint8_t> body;
  EncodeHeaders(headers, body);
  Send(connection, commands::kHeaders, body);
}

void Adversary::ShowUnconnected(ConnectionId connection) {
  Hash256 nowhere;
  entropy_.Fill(nowhere.bytes);
  std::vector<uint8_t> body;
  EncodeHeaders({MineHeader(nowhere, static_cast<uint32_t>(world_.clock().UnixSeconds()), entropy_)}, body);
  Send(connection, commands::kHeaders, body);
}

void Adversary::ShowBadHeader(ConnectionId connection) {
  const ModelBlock& best = world_.best_public();
  const auto now_s = static_cast<uint32_t>(world_.clock().UnixSeconds());
  BlockHeader header = MineHeader(best.hash, now_s, entropy_);
  switch (entropy_.Below(4)) {
    case 0:
      header.time_s = now_s + 3 * 3'600;
      while (header.Hash().bytes[31] >= 0x7f) ++header.nonce;
      break;
    case 1:
      while (header.Hash().bytes[31] < 0x80) ++header.nonce;
      break;
    case 2:
      header.bits = 0x1d00ffff;
      break;
    default:
      header = world_.maker().Make(best, Flaw::kTimeTooOld).header;
      break;
  }
  std::vector<uint8_t> body;
  EncodeHeaders({header}, body);
  Send(connection, commands::kHeaders, body);
}

void Adversary::AnnounceHuge(ConnectionId connection) {
  Peer& peer = peers_.at(connection);
  if (!peer.is_version_sent) Greet(connection);
  MessageHeader header;
  header.magic = ParamsFor(ChainId::kRegtest).message_magic;
  header.command = entropy_.OneIn(2) ? commands::kBlock : commands::kHeaders;
  header.body_bytes = entropy_.OneIn(4) ? 4'000'001 : 4'000'000;
  auto slab = std::make_shared<Slab>(MessageHeader::kSerializedBytes + entropy_.Below(500));
  entropy_.Fill(slab->writable());
  header.Store(slab->writable().data());
  // Everything that follows is taken for its body.
  transport_->Send(connection, SharedBytes::From(slab));
}

void Adversary::Flood(ConnectionId connection) {
  transport_->PauseReceive(connection);
  for (int i = 0; i < kFloodMessages; ++i) {
    std::vector<uint8_t> body;
    const Hash256 hash = branch_.empty() ? Hash256() : branch_[entropy_.Below(branch_.size())]->hash;
    switch (entropy_.Below(4)) {
      case 0:
        EncodeNonce(entropy_.Next(), body);
        Send(connection, commands::kPing, body);
        break;
      case 1:
        EncodeInventory(std::vector<InventoryItem>(20, {kInvWitnessBlock, hash}), body);
        Send(connection, commands::kGetData, body);
        break;
      case 2:
        EncodeLocator({70016, {hash}, Hash256()}, body);
        Send(connection, entropy_.OneIn(2) ? commands::kGetHeaders : commands::kGetBlocks, body);
        break;
      default:
        EncodeInventory({{kInvBlock, hash}, {kInvTransaction, hash}}, body);
        Send(connection, commands::kInv, body);
        break;
    }
  }
}

void Adversary::Garble(ConnectionId connection) {
  std::vector<uint8_t> bytes(1 + entropy_.Below(200));
  entropy_.Fill(bytes);
  const uint64_t kind = entropy_.Below(3);
  if (kind == 0) return transport_->Send(connection, SharedBytes::From(Slab::Copy(bytes)));
  NetworkMagic magic = ParamsFor(ChainId::kRegtest).message_magic;
  if (kind == 1) magic[0] ^= 1;
  const SharedBytes message = EncodeMessage(magic, entropy_.OneIn(2) ? commands::kInv : commands::kHeaders, bytes);
  std::vector<uint8_t> altered(message.bytes.begin(), message.bytes.end());
  if (entropy_.OneIn(2)) altered[entropy_.Below(altered.size())] ^= 1;
  transport_->Send(connection, SharedBytes::From(Slab::Copy(altered)));
}

}  // namespace headrace::sim
