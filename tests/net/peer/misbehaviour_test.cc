// Every row of the table of misbehaviour: a peer does it to a hub, in simulated time, and what follows is what the
// table says. A row without a case fails.
#include "net/peer/misbehaviour.h"

#include <map>
#include <random>

#include "net/wire/address_messages.h"
#include "net/wire/chain_messages.h"
#include "net/wire/compact_messages.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/small_messages.h"
#include "tests/net/peer/sim_hubs.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::kSimMagic;
using testing::SimHub;
using testing::SimSpeaker;
using Body = std::vector<uint8_t>;

class MisbehaviourTest : public testing::SimHubsTest {
 protected:
  MisbehaviourTest() { EnableDebugCategory(LogCategory::kNet); }

  SimHub& AddServer(const PeerHubOptions& options = {}) { return *(hub_ = &AddHub(0, options)); }
  // A hub that keeps a book and dials nobody but block-relay-only or full-relay peers, as many as said.
  SimHub& AddFinder(size_t full_relay_max, size_t block_relay_max) {
    PeerHubOptions options = Finding();
    options.discovery->outbound.full_relay_max = full_relay_max;
    options.discovery->outbound.block_relay_max = block_relay_max;
    options.discovery->outbound.feelers_max = 0;
    AddressBook book(false, clock_, entropy_);
    const NodeAddress known = NodeAddress::Of(HostAt(1));
    book.Add({known, kNodeNetwork | kNodeWitness, clock_.UnixSeconds()}, known, 0);
    return *(hub_ = &AddHub(0, options, book.Export()));
  }
  // One that says nothing by itself.
  SimSpeaker& ConnectStranger() {
    SimSpeaker& speaker = AddSpeaker(1);
    speaker.introduces_itself = false;
    speaker.Connect(hub_->address);
    EXPECT_TRUE(RunUntil([&] { return speaker.is_connected(); }, 5));
    return speaker;
  }
  SimSpeaker& ConnectFriend() { return ConnectSpeaker(1, *hub_); }
  static Body AddressesOf(int count) {
    std::vector<NetworkAddress> entries;
    for (int i = 0; i < count; ++i)
      entries.push_back(NodeAddress::Of(HostAt(i + 100)).ToWire(kNodeNetwork | kNodeWitness, 1'300'000'000));
    Body body;
    EncodeAddrV2(entries, body);
    return body;
  }
  static Body PingBody(uint64_t nonce) {
    Body body;
    EncodeNonce(nonce, body);
    return body;
  }
  static Body HeaderOf(const NetworkMagic& magic, const Command& command, uint32_t body_bytes) {
    Body bytes(MessageHeader::kSerializedBytes);
    MessageHeader{magic, command, body_bytes, MessageChecksum({})}.Store(bytes.data());
    return bytes;
  }

  SimHub* hub_ = nullptr;
};

// Does it, and returns who did.
using Deed = std::function<SimSpeaker&()>;

class MisbehaviourRows : public MisbehaviourTest, public ::testing::WithParamInterface<int> {
 protected:
  std::map<Misbehaviour, Deed> Deeds();
  void AddFrameDeeds(std::map<Misbehaviour, Deed>& deeds);
  void AddHandshakeDeeds(std::map<Misbehaviour, Deed>& deeds);
  void AddTimeDeeds(std::map<Misbehaviour, Deed>& deeds);
  void AddLimitDeeds(std::map<Misbehaviour, Deed>& deeds);
  void AddAddressDeeds(std::map<Misbehaviour, Deed>& deeds);

  SimSpeaker& SendsToServer(const Body& bytes) {
    AddServer();
    SimSpeaker& speaker = ConnectFriend();
    speaker.SendBytes(bytes);
    return speaker;
  }
  SimSpeaker& SaysToServer(const Command& command, const Body& body = {}) {
    AddServer();
    SimSpeaker& speaker = ConnectFriend();
    speaker.Send(command, body);
    return speaker;
  }
};

void MisbehaviourRows::AddFrameDeeds(std::map<Misbehaviour, Deed>& deeds) {
  deeds[Misbehaviour::kWrongMagic] = [&]() -> SimSpeaker& {
    return SendsToServer(HeaderOf({9, 9, 9, 9}, commands::kVerack, 0));
  };
  deeds[Misbehaviour::kBadCommand] = [&]() -> SimSpeaker& {
    Command command("ping");
    command.bytes[8] = 'x';
    return SendsToServer(HeaderOf(kSimMagic, command, 0));
  };
  deeds[Misbehaviour::kOversizedMessage] = [&]() -> SimSpeaker& {
    return SendsToServer(HeaderOf(kSimMagic, Command("tx"), 4'000'001));
  };
  deeds[Misbehaviour::kBadChecksum] = [&]() -> SimSpeaker& {
    Body bytes = HeaderOf(kSimMagic, commands::kGetAddr, 0);
    bytes[20] ^= 1;
    return SendsToServer(bytes);
  };
  deeds[Misbehaviour::kMalformedMessage] = [&]() -> SimSpeaker& { return SaysToServer(commands::kInv, {0xff}); };
  deeds[Misbehaviour::kMalformedCompactBlock] = [&]() -> SimSpeaker& {
    return SaysToServer(commands::kCompactBlock, {0xff});
  };
}

void MisbehaviourRows::AddHandshakeDeeds(std::map<Misbehaviour, Deed>& deeds) {
  deeds[Misbehaviour::kMessageBeforeVersion] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = ConnectStranger();
    speaker.Send(commands::kPing, PingBody(1));
    return speaker;
  };
  deeds[Misbehaviour::kMessageBeforeVerack] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = ConnectStranger();
    speaker.sends_verack = false;
    speaker.Introduce();
    speaker.Send(commands::kPing, PingBody(1));
    return speaker;
  };
  deeds[Misbehaviour::kDuplicateVersion] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = ConnectFriend();
    speaker.wants_addrv2 = speaker.sends_verack = false;
    speaker.Introduce();
    return speaker;
  };
  deeds[Misbehaviour::kDuplicateVerack] = [&]() -> SimSpeaker& { return SaysToServer(commands::kVerack); };
  deeds[Misbehaviour::kLateNegotiation] = [&]() -> SimSpeaker& { return SaysToServer(commands::kWtxidRelay); };
  deeds[Misbehaviour::kObsoleteVersion] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = ConnectStranger();
    speaker.protocol_version = 31'799;
    speaker.Introduce();
    return speaker;
  };
  deeds[Misbehaviour::kSelfConnection] = [&]() -> SimSpeaker& {
    PeerHubOptions options;
    options.connect = {{HostAt(2).HostText(), HostAt(2).port}};
    AddServer(options);
    SimSpeaker& dialled = AddSpeaker(2);
    dialled.introduces_itself = false;
    EXPECT_TRUE(RunUntil([&] { return dialled.CountOf(commands::kVersion) == 1; }, 5));
    VersionMessage version;
    EXPECT_EQ(DecodeVersion(dialled.told.front().body, version), DecodeError::kNone);
    // What the hub said comes back to it.
    SimSpeaker& speaker = ConnectStranger();
    speaker.nonce = version.nonce;
    speaker.Introduce();
    return speaker;
  };
  deeds[Misbehaviour::kServicesMissing] = [&]() -> SimSpeaker& {
    SimSpeaker& speaker = AddSpeaker(1);
    speaker.services = kNodeNetwork;
    AddFinder(1, 0);
    return speaker;
  };
}

void MisbehaviourRows::AddTimeDeeds(std::map<Misbehaviour, Deed>& deeds) {
  deeds[Misbehaviour::kUnexpectedPong] = [&]() -> SimSpeaker& { return SaysToServer(commands::kPong, PingBody(1)); };
  deeds[Misbehaviour::kHandshakeTimeout] = [&]() -> SimSpeaker& {
    AddServer();
    return ConnectStranger();
  };
  deeds[Misbehaviour::kPongTimeout] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = AddSpeaker(1);
    speaker.answers_pings = false;
    speaker.Connect(hub_->address);
    return speaker;
  };
  deeds[Misbehaviour::kSilence] = [&]() -> SimSpeaker& {
    AddServer();
    SimSpeaker& speaker = AddSpeaker(1);
    speaker.protocol_version = 60'000;
    speaker.answers_pings = false;
    speaker.Connect(hub_->address);
    return speaker;
  };
}

void MisbehaviourRows::AddLimitDeeds(std::map<Misbehaviour, Deed>& deeds) {
  deeds[Misbehaviour::kSendQueueOverflow] = [&]() -> SimSpeaker& {
    PeerHubOptions options;
    options.send_queue_bytes_max = 1'000'000;
    AddServer(options);
    SimSpeaker& speaker = ConnectFriend();
    speaker.StopReading();
    std::vector<PeerCommand> orders;
    const PeerId id = hub_->hub->Status().front().info.id;
    for (int i = 0; i < 3; ++i) orders.push_back(SendBlock{id, SharedBytes::From(std::make_shared<Slab>(1'000'000))});
    hub_->hub->Submit(orders);
    return speaker;
  };
  deeds[Misbehaviour::kMemoryExhausted] = [&]() -> SimSpeaker& {
    PeerHubOptions options;
    options.growing_bytes_max = 100'000;
    AddServer(options);
    SimSpeaker& speaker = ConnectFriend();
    speaker.SendBytes(HeaderOf(kSimMagic, Command("tx"), 4'000'000));
    speaker.SendBytes(Body(200'000));
    return speaker;
  };
  deeds[Misbehaviour::kInboundSlotsFull] = [&]() -> SimSpeaker& {
    PeerHubOptions options;
    options.inbound_max = 1;
    AddServer(options);
    ConnectSpeaker(2, *hub_);
    SimSpeaker& speaker = AddSpeaker(1);
    speaker.Connect(hub_->address);
    return speaker;
  };
  deeds[Misbehaviour::kDiscouragedAddress] = [&]() -> SimSpeaker& {
    SimSpeaker& speaker = SaysToServer(commands::kInv, {0xff});
    EXPECT_TRUE(RunUntil([&] { return !speaker.is_connected(); }, 5));
    speaker.Connect(hub_->address);
    return speaker;
  };
  deeds[Misbehaviour::kEvicted] = [&]() -> SimSpeaker& {
    PeerHubOptions options;
    options.inbound_max = 30;
    AddServer(options);
    std::vector<SimSpeaker*> crowd;
    for (uint8_t i = 1; i <= 30; ++i) {
      crowd.push_back(&AddSpeakerAt(Address::Ipv4(99, 9, 9, i, 8333)));
      crowd.back()->Connect(hub_->address);
      EXPECT_TRUE(RunUntil([&] { return crowd.back()->CountOf(commands::kVerack) == 1; }, 5));
      Run(1);
    }
    ConnectSpeaker(1, *hub_);
    Run(1);
    for (SimSpeaker* one : crowd) {
      if (!one->is_connected()) return *one;
    }
    return *crowd.front();
  };
}

void MisbehaviourRows::AddAddressDeeds(std::map<Misbehaviour, Deed>& deeds) {
  deeds[Misbehaviour::kOversizedAddresses] = [&]() -> SimSpeaker& {
    AddFinder(0, 0);
    SimSpeaker& speaker = ConnectFriend();
    // The encoder keeps to the limit: a compact size of 1001, and nothing behind it.
    speaker.Send(commands::kAddrV2, {0xfd, 0xe9, 0x03});
    return speaker;
  };
  deeds[Misbehaviour::kAddressFlood] = [&]() -> SimSpeaker& {
    AddFinder(0, 0);
    SimSpeaker& speaker = ConnectFriend();
    speaker.Send(commands::kAddrV2, AddressesOf(100));
    return speaker;
  };
  deeds[Misbehaviour::kAddressesUnwanted] = [&]() -> SimSpeaker& {
    SimSpeaker& speaker = AddSpeaker(1);
    AddFinder(0, 1);
    EXPECT_TRUE(RunUntil([&] { return hub_->CountOf(PeerKind::kBlockRelay) == 1; }, 120));
    speaker.Send(commands::kAddrV2, AddressesOf(3));
    return speaker;
  };
  deeds[Misbehaviour::kAddressesAskedAgain] = [&]() -> SimSpeaker& {
    AddFinder(0, 0);
    SimSpeaker& speaker = ConnectFriend();
    speaker.Send(commands::kGetAddr);
    speaker.Send(commands::kGetAddr);
    return speaker;
  };
}

std::map<Misbehaviour, Deed> MisbehaviourRows::Deeds() {
  std::map<Misbehaviour, Deed> deeds;
  AddFrameDeeds(deeds);
  AddHandshakeDeeds(deeds);
  AddTimeDeeds(deeds);
  AddLimitDeeds(deeds);
  AddAddressDeeds(deeds);
  return deeds;
}

TEST_P(MisbehaviourRows, AreAnsweredAsTheTableSays) {
  const MisbehaviourRow& row = RowOf(static_cast<Misbehaviour>(GetParam()));
  SCOPED_TRACE(row.sentence);
  const std::map<Misbehaviour, Deed> deeds = Deeds();
  const auto deed = deeds.find(row.misbehaviour);
  ASSERT_NE(deed, deeds.end()) << "no test does this";
  CapturedLog log;
  SimSpeaker& culprit = deed->second();
  EXPECT_TRUE(RunUntil([&] { return log.Has("it " + std::string(row.sentence)); }, 100 * 60)) << "it is not noticed";
  Run(1);
  EXPECT_EQ(culprit.is_connected(), row.consequence == Consequence::kIgnore);
  if (row.consequence == Consequence::kIgnore) return;
  // Whether the address is held against whoever comes from it next.
  culprit.Connect(hub_->address);
  Run(5);
  const bool is_held_against = log.Has(std::string(RowOf(Misbehaviour::kDiscouragedAddress).sentence));
  const bool was_before = row.misbehaviour == Misbehaviour::kDiscouragedAddress;
  EXPECT_EQ(is_held_against, row.consequence == Consequence::kDiscourage || was_before);
}

INSTANTIATE_TEST_SUITE_P(Every, MisbehaviourRows, ::testing::Range(0, static_cast<int>(Misbehaviour::kCount)));

class UnaskedMemoryTest : public MisbehaviourTest {
 protected:
  // Sends so many bytes of a message that is never asked for.
  void Send(SimSpeaker& speaker, size_t announced, size_t sent) {
    Body body(announced, 7);
    Body message = HeaderOf(kSimMagic, Command("tx"), static_cast<uint32_t>(announced));
    const std::array<uint8_t, 4> checksum = MessageChecksum(body);
    std::copy(checksum.begin(), checksum.end(), message.end() - 4);
    message.insert(message.end(), body.begin(), body.begin() + static_cast<ptrdiff_t>(sent));
    speaker.SendBytes(message);
    Run(20);
  }
};

TEST_F(UnaskedMemoryTest, IsGivenBackWithTheMessage) {
  PeerHubOptions options;
  options.growing_bytes_max = 1'000'000;
  AddServer(options);
  std::vector<SimSpeaker*> speakers;
  for (int number = 1; number <= 10; ++number) {
    speakers.push_back(&ConnectSpeaker(number, *hub_));
    Send(*speakers.back(), 400'000, 400'000);
  }
  for (const SimSpeaker* one : speakers) EXPECT_TRUE(one->is_connected()) << "it said all that it had to say";
}

TEST_F(UnaskedMemoryTest, IsTakenFromWhoeverHoldsTheMost) {
  PeerHubOptions options;
  // A buffer may be twice as large as what is in it.
  options.growing_bytes_max = 2'000'000;
  AddServer(options);
  SimSpeaker& greedy = ConnectSpeaker(1, *hub_);
  Send(greedy, 4'000'000, 700'000);
  ASSERT_TRUE(greedy.is_connected());
  std::vector<SimSpeaker*> modest;
  for (int number = 2; greedy.is_connected() && number < 10; ++number) {
    modest.push_back(&ConnectSpeaker(number, *hub_));
    Send(*modest.back(), 400'000, 300'000);
  }
  EXPECT_FALSE(greedy.is_connected());
  EXPECT_GE(modest.size(), 2u);
  for (const SimSpeaker* one : modest)
    EXPECT_TRUE(one->is_connected()) << "the last came when there was no more, and has not taken it";
}

// Bodies of every kind of message, changed at random: the hub goes on, and whoever it sends away is sent away by a row
// of the table.
TEST_F(MisbehaviourTest, MangledMessagesHaveNoOtherConsequenceThanTheTables) {
  PeerHubOptions options = Finding();
  options.discovery->outbound.full_relay_max = options.discovery->outbound.block_relay_max = 0;
  options.discovery->outbound.feelers_max = 0;
  AddServer(options);
  std::mt19937_64 random(20'261'126);
  std::vector<std::pair<Command, Body>> good;
  const auto add = [&](const Command& command, auto encode) {
    good.emplace_back(command, Body()), encode(good.back().second);
  };
  const std::vector<InventoryItem> items(5, {kInvWitnessBlock, Hash256()});
  for (const Command& command : {commands::kInv, commands::kGetData, commands::kNotFound}) {
    add(command, [&](Body& body) { EncodeInventory(items, body); });
  }
  for (const Command& command : {commands::kGetHeaders, commands::kGetBlocks}) {
    add(command, [&](Body& body) { EncodeLocator({70016, {Hash256(), Hash256()}, Hash256()}, body); });
  }
  add(commands::kHeaders, [&](Body& body) { EncodeHeaders(std::vector<BlockHeader>(3), body); });
  add(commands::kAddrV2, [&](Body& body) { body = AddressesOf(4); });
  add(commands::kAddr, [&](Body& body) { EncodeAddr({TimedAddress{}, TimedAddress{}}, body); });
  for (const Command& command : {commands::kPing, commands::kPong})
    add(command, [&](Body& body) { body = PingBody(7); });
  add(commands::kBlock, [&](Body& body) { body.resize(285, 1); });
  add(commands::kSendCompact, [&](Body& body) { EncodeSendCompact({true, 2}, body); });
  add(commands::kGetBlockTransactions, [&](Body& body) { EncodeBlockTransactionsRequest({Hash256(), {1, 3}}, body); });
  add(commands::kBlockTransactions, [&](Body& body) { EncodeBlockTransactions({Hash256(), {}}, body); });
  CompactBlock compact;
  compact.short_ids = {1, 2, 3};
  add(commands::kCompactBlock, [&](Body& body) { EncodeCompactBlock(compact, body); });
  add(commands::kFeeFilter, [&](Body& body) { EncodeFeeFilter(1'000, body); });
  for (const char* name :
       {"tx", "version", "verack", "sendheaders", "mempool", "getaddr", "filterload", "nonsense"}) {
    add(Command(name), [&](Body& body) { body.resize(random() % 200, static_cast<uint8_t>(random())); });
  }
  const std::string no_offence[] = {"it ended the connection"};
  CapturedLog log([&](std::string_view line) {
    if (line.find("disconnecting") == std::string_view::npos) return;
    bool is_named = line.find(no_offence[0]) != std::string_view::npos;
    for (size_t i = 0; i < static_cast<size_t>(Misbehaviour::kCount); ++i) {
      is_named |= line.find(RowOf(static_cast<Misbehaviour>(i)).sentence) != std::string_view::npos;
    }
    EXPECT_TRUE(is_named) << line;
  });
  size_t sent_away = 0;
  for (int number = 1; number <= 150; ++number) {
    SimSpeaker& speaker = ConnectSpeaker(number, *hub_);
    for (int i = 0; i < 20 && speaker.is_connected(); ++i) {
      auto [command, body] = good[random() % good.size()];
      for (uint64_t changes = random() % 3; changes > 0 && !body.empty(); --changes) {
        const size_t at = random() % body.size();
        switch (random() % 4) {
          case 0:
            body[at] = static_cast<uint8_t>(random());
            break;
          case 1:
            body.resize(at);
            break;
          case 2:
            body.insert(body.begin() + static_cast<ptrdiff_t>(at), static_cast<uint8_t>(random()));
            break;
          default:
            body[0] = static_cast<uint8_t>(0xfc + random() % 4);
            break;
        }
      }
      speaker.Send(command, body);
      Run(1);
    }
    sent_away += speaker.is_connected() ? 0 : 1;
  }
  EXPECT_GT(sent_away, 20u);
  EXPECT_LT(sent_away, 150u);
  EXPECT_TRUE(ConnectSpeaker(999, *hub_).is_connected()) << "the hub goes on";
}

}  // namespace
}  // namespace headrace
