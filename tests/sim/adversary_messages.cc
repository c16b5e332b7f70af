// What a liar says when it is asked.

#include <algorithm>

#include "engine/base/limits.h"
#include "engine/consensus/chain_params.h"
#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/small_messages.h"
#include "net/wire/version_message.h"
#include "tests/sim/adversary.h"
#include "tests/sim/mutation.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

const NetworkMagic& Magic() { return ParamsFor(ChainId::kRegtest).message_magic; }

}  // namespace

void Adversary::Send(ConnectionId connection, const Command& command, ByteSpan body) {
  transport_->Send(connection, EncodeMessage(Magic(), command, body));
}

void Adversary::Greet(ConnectionId connection) {
  VersionMessage version;
  version.protocol_version = 70016;
  version.services = kNodeNetwork | kNodeWitness;
  version.time_s = world_.clock().UnixSeconds();
  version.nonce = entropy_.Next();
  version.user_agent = "/adversary/";
  version.start_height = static_cast<int32_t>(branch_.size());
  std::vector<uint8_t> body;
  EncodeVersion(version, body);
  peers_.at(connection).is_version_sent = true;
  Send(connection, commands::kVersion, body);
}

void Adversary::Answer(ConnectionId connection, const Message& message) {
  Peer& peer = peers_.at(connection);
  if (habit_ == Habit::kIsSilent) return;
  if (message.command == commands::kVersion) {
    if (!peer.is_version_sent) Greet(connection);
    return Send(connection, commands::kVerack, {});
  }
  if (message.command == commands::kVerack) {
    peer.is_greeted = true;
    return is_compact_alone_ ? ShowCompact(connection) : Announce(connection);
  }
  // A flooder does not care what it hears.
  if (habit_ == Habit::kFloods) return;
  if (message.command == commands::kPing) return Send(connection, commands::kPong, message.body);
  if (message.command == commands::kGetHeaders) return AnswerGetHeaders(connection, message);
  if (message.command == commands::kGetData) return AnswerGetData(connection, message);
  if (message.command == commands::kGetBlockTransactions) return AnswerGetBlockTransactions(connection, message);
}

void Adversary::AnswerGetHeaders(ConnectionId connection, const Message& message) {
  LocatorMessage question;
  if (DecodeLocator(message.body, question) != DecodeError::kNone) return;
  size_t next = 0;
  for (const Hash256& known : question.locator) {
    const ModelBlock* block = world_.model().Find(known);
    const bool is_ours = block != nullptr && block->height != 0 && block->height <= branch_.size() &&
                         branch_[block->height - 1] == block;
    if (!is_ours) continue;
    next = block->height;
    break;
  }
  std::vector<BlockHeader> headers;
  const size_t shown = is_compact_alone_ ? std::min<size_t>(branch_.size(), world_.best_public().height) : branch_.size();
  for (; next < shown && headers.size() < kMaxHeadersPerMessage; ++next)
    headers.push_back(branch_[next]->header);
  std::vector<uint8_t> body;
  EncodeHeaders(headers, body);
  Send(connection, commands::kHeaders, body);
}

void Adversary::AnswerGetData(ConnectionId connection, const Message& message) {
  std::vector<InventoryItem> items;
  if (DecodeInventory(message.body, items) != DecodeError::kNone) return;
  if (habit_ == Habit::kStalls) return;
  std::vector<InventoryItem> missing;
  for (const InventoryItem& item : items) {
    const ModelBlock* block = world_.model().Find(item.hash);
    if (block == nullptr || habit_ == Habit::kHasNothing || withheld_.contains(item.hash)) {
      // Some say what they lack, others keep quiet.
      if (habit_ != Habit::kWithholds || entropy_.OneIn(2)) missing.push_back(item);
      continue;
    }
    const bool is_altered = habit_ == Habit::kMutates && block->height + 4 > branch_.size();
    SendBlock(connection, is_altered ? Mutate(*block, entropy_) : block->raw);
  }
  if (missing.empty()) return;
  std::vector<uint8_t> body;
  EncodeInventory(missing, body);
  Send(connection, commands::kNotFound, body);
}

void Adversary::SendBlock(ConnectionId connection, SlabRef block) {
  if (habit_ != Habit::kDrips) return Send(connection, commands::kBlock, block->bytes());
  const SharedBytes whole = EncodeMessage(Magic(), commands::kBlock, block->bytes());
  for (size_t at = 0; at < whole.bytes.size(); ++at)
    transport_->Send(connection, {whole.bytes.subspan(at, 1), whole.owner});
}

void Adversary::Announce(ConnectionId connection) {
  if (branch_.empty()) return;
  std::vector<uint8_t> body;
  if (entropy_.OneIn(2)) {
    EncodeInventory({{kInvBlock, branch_.back()->hash}}, body);
    return Send(connection, commands::kInv, body);
  }
  std::vector<BlockHeader> headers;
  const size_t count = std::min<size_t>(branch_.size(), 1 + entropy_.Below(8));
  for (size_t i = branch_.size() - count; i < branch_.size(); ++i) headers.push_back(branch_[i]->header);
  EncodeHeaders(headers, body);
  Send(connection, commands::kHeaders, body);
}

}  // namespace headrace::sim
