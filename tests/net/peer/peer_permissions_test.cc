// Permissions as text: what is understood, what is refused, what includes what.
#include "net/peer/peer_permissions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint32_t kFriend = kMayStay | kMayDownload | kMayRelay | kMayAskMempool;

PermittedRange RangeOf(std::string_view text) {
  const absl::StatusOr<PermittedRange> range = ParsePermittedRange(text);
  EXPECT_TRUE(range.ok()) << text << ": " << range.status();
  return range.value_or(PermittedRange{});
}

TEST(PeerPermissions, AreNamedBeforeTheRange) {
  const PermittedRange range = RangeOf("download,addr@10.1.0.0/16");
  EXPECT_EQ(range.permissions, uint32_t{kMayDownload} | kMayGossip);
  EXPECT_TRUE(range.range.Contains(Address::Ipv4(10, 1, 2, 3, 0)));
  EXPECT_FALSE(range.range.Contains(Address::Ipv4(10, 2, 2, 3, 0)));
  EXPECT_TRUE(range.is_inbound);
  EXPECT_FALSE(range.is_outbound);
}

TEST(PeerPermissions, ThoseOfAFriendWhereNoneIsNamed) {
  EXPECT_EQ(RangeOf("127.0.0.1").permissions, kFriend);
  EXPECT_EQ(RangeOf("out@127.0.0.1").permissions, kFriend);
  EXPECT_EQ(RangeOf("@127.0.0.1").permissions, 0u) << "an empty list is a list";
  EXPECT_EQ(RangeOf(",,@127.0.0.1").permissions, 0u);
}

TEST(PeerPermissions, SomeIncludeOthers) {
  EXPECT_TRUE(HasPermission(RangeOf("noban@::1").permissions, kMayDownload));
  EXPECT_TRUE(HasPermission(RangeOf("forcerelay@::1").permissions, kMayRelay));
  EXPECT_FALSE(HasPermission(RangeOf("download@::1").permissions, kMayStay));
  EXPECT_FALSE(HasPermission(RangeOf("relay@::1").permissions, kMayForceRelay));
}

TEST(PeerPermissions, HoldForThoseThatComeOrThoseThatAreNamedOrBoth) {
  const PermittedRange in = RangeOf("in,noban@::1"), out = RangeOf("noban,out@::1"), both = RangeOf("in,out,noban@::1");
  EXPECT_TRUE(in.is_inbound && !in.is_outbound);
  EXPECT_TRUE(!out.is_inbound && out.is_outbound);
  EXPECT_TRUE(both.is_inbound && both.is_outbound);
}

TEST(PeerPermissions, AreListedInTheFieldsOrder) {
  EXPECT_THAT(PermissionNames(RangeOf("all@::1").permissions),
              ElementsAre("bloomfilter", "noban", "forcerelay", "relay", "mempool", "download", "addr"));
  EXPECT_THAT(PermissionNames(kFriend), ElementsAre("noban", "relay", "mempool", "download"));
  EXPECT_THAT(PermissionNames(0), ElementsAre());
}

TEST(PeerPermissions, WhatIsNotUnderstoodIsSaid) {
  EXPECT_THAT(std::string(ParsePermittedRange("nobann@::1").status().message()), HasSubstr("`nobann`"));
  for (const char* text :
       {"", "noban@", "noban@somewhere", "noban@1.2.3.4/33", "noban@1.2.3.4@5.6.7.8", "noban @1.2.3.4"}) {
    EXPECT_FALSE(ParsePermittedRange(text).ok()) << text;
  }
}

TEST(PeerPermissions, OfAListener) {
  const auto listener = ParsePermittedListener("noban@127.0.0.1:9000", 8333);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_EQ(listener->address, Address::Ipv4(127, 0, 0, 1, 9000));
  EXPECT_EQ(listener->permissions, uint32_t{kMayStay});
  EXPECT_EQ(ParsePermittedListener("127.0.0.1", 8333)->address.port, 8333);
  EXPECT_EQ(ParsePermittedListener("127.0.0.1", 8333)->permissions, kFriend);
  for (const char* text : {"out,noban@127.0.0.1", "noban@1.2.3.0/24", "noban@name", "", "@"}) {
    EXPECT_FALSE(ParsePermittedListener(text, 8333).ok()) << text;
  }
}

}  // namespace
}  // namespace headrace
