// The book's file: what is written is read, what is not understood is refused, what does not fit is left out.
#include "net/discovery/book_image.h"

#include "net/discovery/address_book.h"
#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;

NodeAddress OnionOf(uint8_t first) {
  NodeAddress address;
  address.network = kNetworkTorV3;
  address.bytes.fill(0x5a);
  address.bytes[0] = first;
  address.port = 8333;
  return address;
}

class BookImageTest : public testing::BookTest {
 protected:
  BookImage FullImage() {
    AddressBook book(false, clock_, entropy_);
    for (uint32_t i = 0; i < 300; ++i) {
      Add(book, HostInGroup(i, 1), HostInGroup(i % 40 + 7'000, 1), i * 1000);
      Add(book, OnionOf(static_cast<uint8_t>(i)), HostInGroup(i % 40 + 7'000, 1));
      if (i % 3 == 0) book.Good(HostInGroup(i, 1));
      if (i % 5 == 0) book.Attempt(HostInGroup(i, 1), true);
    }
    BookImage image = book.Export();
    image.anchors = {HostInGroup(1, 1), HostInGroup(2, 1)};
    image.recent = {HostInGroup(3, 1), OnionOf(3)};
    return image;
  }
};

TEST_F(BookImageTest, WrittenIsRead) {
  const BookImage image = FullImage();
  const absl::StatusOr<BookImage> read = DecodeBookImage(EncodeBookImage(image));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, image);
  EXPECT_EQ(*DecodeBookImage(EncodeBookImage(BookImage{})), BookImage{});
}

TEST_F(BookImageTest, ABookComesBackAsItWas) {
  const BookImage image = FullImage();
  AddressBook book(false, clock_, entropy_);
  book.Import(image);
  ExpectSound(book);
  EXPECT_EQ(book.size(), image.entries.size());
  BookImage again = book.Export();
  again.anchors = image.anchors;
  again.recent = image.recent;
  EXPECT_EQ(again, image) << "the key too: addresses keep their slots";
  // And it goes on as a book: what was known is known.
  EXPECT_FALSE(Add(book, image.entries.front().address, HostInGroup(1, 1)));
}

TEST_F(BookImageTest, EveryCutAndEveryTailIsRefused) {
  BookImage image;
  image.anchors = {HostInGroup(1, 1)};
  image.entries.push_back({HostInGroup(2, 1), 9, 5, 1000, 0, 1, false, {7, 900}});
  image.entries.push_back({OnionOf(1), 9, 5, 1000, 900, 0, true, {}});
  const std::vector<uint8_t> bytes = EncodeBookImage(image);
  ASSERT_TRUE(DecodeBookImage(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeBookImage(ByteSpan(bytes).first(size)).ok()) << size;
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(DecodeBookImage(longer).ok());
}

TEST_F(BookImageTest, LimitsAreExact) {
  const auto status_of = [](const BookImage& image) { return DecodeBookImage(EncodeBookImage(image)).status(); };
  BookImage image;
  image.anchors.assign(kImagePeersMax, HostInGroup(1, 1));
  EXPECT_TRUE(status_of(image).ok());
  image.anchors.push_back(HostInGroup(1, 1));
  EXPECT_FALSE(status_of(image).ok());
  image.anchors.clear();
  image.recent.assign(kImagePeersMax + 1, HostInGroup(1, 1));
  EXPECT_FALSE(status_of(image).ok());
  image.recent.clear();
  image.entries.assign(kImageEntriesMax, {HostInGroup(1, 1), 9, 5, 1000, 0, 1, false, {7}});
  EXPECT_TRUE(status_of(image).ok());
  image.entries.push_back(image.entries.front());
  EXPECT_FALSE(status_of(image).ok());
  image.entries.assign(1, {HostInGroup(1, 1), 9, 5, 1000, 0, 1, false, {7, 7, 7, 7, 7, 7, 7, 7}});
  EXPECT_TRUE(status_of(image).ok());
  image.entries[0].new_buckets.push_back(7);
  EXPECT_FALSE(status_of(image).ok());
  image.entries[0].new_buckets.clear();
  EXPECT_FALSE(status_of(image).ok()) << "neither new nor tried";
  image.entries[0].is_tried = true;
  EXPECT_TRUE(status_of(image).ok());
  image.entries[0].new_buckets = {7};
  EXPECT_FALSE(status_of(image).ok()) << "both";
}

TEST_F(BookImageTest, OtherVersionsAndNetworksAreRefused) {
  std::vector<uint8_t> bytes = EncodeBookImage(FullImage());
  bytes[0] = 2;
  const absl::Status newer = DecodeBookImage(bytes).status();
  EXPECT_NE(std::string(newer.message()).find("version 2"), std::string::npos) << newer;
  bytes[0] = 1;
  // The first anchor's network: after version, key and count.
  constexpr size_t kNetworkAt = 4 + 16 + 4;
  for (const uint8_t network : {0, 3, 7, 255}) {
    bytes[kNetworkAt] = network;
    EXPECT_FALSE(DecodeBookImage(bytes).ok()) << int{network};
  }
}

TEST_F(BookImageTest, WhatDoesNotFitIsLeftOut) {
  BookImage image = FullImage();
  const size_t size = image.entries.size();
  const BookImageEntry good = image.entries.front();
  image.entries.push_back(good);  // twice
  image.entries.push_back({NodeAddress::Of(Address::Ipv4(127, 0, 0, 1, 1)), 9, 5, 1000, 0, 0, false, {7}});
  image.entries.push_back({HostInGroup(8'888, 1), 9, 5, 1000, 0, 0, false, {1024, 65535}});
  AddressBook book(false, clock_, entropy_);
  book.Import(image);
  ExpectSound(book);
  EXPECT_EQ(book.size(), size);
  EXPECT_FALSE(book.Find(HostInGroup(8'888, 1)).has_value());
}

TEST_F(BookImageTest, BytesAtRandomNeverMakeAnUnsoundBook) {
  const std::vector<uint8_t> bytes = EncodeBookImage(FullImage());
  for (int round = 0; round < 2'000; ++round) {
    std::vector<uint8_t> changed = bytes;
    for (uint64_t i = 1 + entropy_.Below(4); i != 0; --i) changed[entropy_.Below(changed.size())] = static_cast<uint8_t>(entropy_.Next());
    const absl::StatusOr<BookImage> image = DecodeBookImage(changed);
    if (!image.ok()) continue;
    AddressBook book(false, clock_, entropy_);
    book.Import(*image);
    ASSERT_NO_FATAL_FAILURE(ExpectSound(book));
    book.Select(AddressBook::From::kEither);
    book.ResolveContests();
    book.Sample(1000, 23);
  }
}

}  // namespace
}  // namespace headrace
