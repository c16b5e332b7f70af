// The address book's file: what is accepted is what the encoder makes, and whatever it holds makes a sound book.
#include "net/discovery/book_image.h"

#include "net/discovery/address_book.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::fuzz {
namespace {

NodeAddress Host(uint32_t number) {
  return NodeAddress::Of(Address::Ipv4(static_cast<uint8_t>(20 + number % 60), static_cast<uint8_t>(number / 60), 1, 1, 8333));
}

void RequireSound(const AddressBook& book) {
  size_t tried = 0;
  for (const BookImageEntry& entry : book.Export().entries) {
    HR_CHECK(entry.is_tried == entry.new_buckets.empty());
    HR_CHECK(entry.new_buckets.size() <= AddressBook::kNewBucketsPerAddress && entry.address.IsRoutable());
    tried += entry.is_tried ? 1 : 0;
  }
  HR_CHECK(tried == book.tried_count() && book.tried_count() + book.new_count() == book.size());
}

void Run(ByteSpan input) {
  {
    const AllocationMeter meter;
    const absl::StatusOr<BookImage> image = DecodeBookImage(input);
    // The smallest entry has 35 bytes, its value 96, in a vector that doubles.
    HR_CHECK(meter.peak_bytes() <= (4 << 10) + 16 * input.size());
    if (!image.ok()) return;
    HR_CHECK(EncodeBookImage(*image) == Bytes(input.begin(), input.end()));
  }
  sim::SimClock clock;
  sim::SimEntropy entropy(1);
  AddressBook book(false, clock, entropy);
  book.Import(*DecodeBookImage(input));
  RequireSound(book);
  for (uint32_t i = 0; i < 20; ++i) {
    book.Add({Host(i), 9, clock.UnixSeconds()}, Host(i + 1'000), 0);
    if (const auto selected = book.Select(AddressBook::From::kEither)) book.Good(selected->address);
  }
  book.ResolveContests();
  RequireSound(book);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus = {EncodeBookImage(BookImage{})};
  sim::SimClock clock;
  for (const uint32_t hosts : {1u, 5u, 60u}) {
    sim::SimEntropy entropy(hosts);
    AddressBook book(false, clock, entropy);
    for (uint32_t i = 0; i < hosts; ++i) {
      book.Add({Host(i), 9, clock.UnixSeconds() - i}, Host(i % 7 + 2'000), 0);
      if (i % 3 == 0) book.Good(Host(i));
    }
    BookImage image = book.Export();
    image.anchors = {Host(1)};
    image.recent = {Host(2), Host(3)};
    corpus.push_back(EncodeBookImage(image));
  }
  return corpus;
}

FUZZ_TARGET(book_image, 3'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
