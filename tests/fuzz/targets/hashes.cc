// Hashes over pieces and in batches give what they give over the whole: SHA-256 against OpenSSL's however the message
// is cut, batches of messages and of nodes, CRC-32C continued, SipHash of outpoints, MuHash in any order.
#include <openssl/sha.h>

#include <algorithm>

#include "engine/crypto/muhash.h"
#include "engine/crypto/sha256.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/outpoint.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

Digest256 Plain(ByteSpan bytes) {
  Digest256 digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return digest;
}

Digest256 PlainDouble(ByteSpan bytes) { return Plain(Plain(bytes)); }

// Bit by bit, with the polynomial of RFC 3720 reflected.
uint32_t PlainCrc32c(ByteSpan bytes) {
  uint32_t sum = ~0u;
  for (const uint8_t byte : bytes) {
    sum ^= byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum & 1) != 0 ? sum >> 1 ^ 0x82f63b78 : sum >> 1;
  }
  return ~sum;
}

void CheckPieces(FuzzInput& in) {
  const ByteSpan cuts = in.Counted();
  const ByteSpan message = in.Rest();
  Sha256Hasher hasher;
  uint32_t sum = 0;
  ByteSpan rest = message;
  for (const uint8_t cut : cuts) {
    const ByteSpan piece = rest.first(std::min<size_t>(cut, rest.size()));
    hasher.Write(piece);
    sum = Crc32c(piece, sum);
    rest = rest.subspan(piece.size());
  }
  hasher.Write(rest);
  HR_CHECK(hasher.size() == message.size());
  Sha256Hasher copy = hasher;
  HR_CHECK(hasher.Finish() == Plain(message) && copy.FinishDouble() == PlainDouble(message));
  HR_CHECK(Sha256(message) == Plain(message) && Sha256d(message) == PlainDouble(message));
  HR_CHECK(Crc32c(rest, sum) == PlainCrc32c(message));
}

void CheckBatches(FuzzInput& in) {
  std::vector<ByteSpan> messages;
  while (!in.empty() && messages.size() < 64) messages.push_back(in.Take(in.U8() % 200));
  std::vector<Digest256> digests(messages.size());
  Sha256dMany(messages, digests.data());
  for (size_t i = 0; i < messages.size(); ++i) HR_CHECK(digests[i] == PlainDouble(messages[i]));

  const ByteSpan nodes = in.Rest();
  const size_t count = nodes.size() / 64;
  Bytes in_place(nodes.begin(), nodes.begin() + count * 64);
  Bytes out(count * 32);
  Sha256dNodes(out.data(), nodes.data(), count);
  Sha256dNodes(in_place.data(), in_place.data(), count);
  for (size_t i = 0; i < count; ++i) {
    const Digest256 expected = PlainDouble(nodes.subspan(i * 64, 64));
    HR_CHECK(std::equal(expected.begin(), expected.end(), &out[i * 32]));
    HR_CHECK(std::equal(expected.begin(), expected.end(), &in_place[i * 32]));
  }
}

void CheckOutpoint(FuzzInput& in) {
  const uint64_t key0 = in.U64();
  const uint64_t key1 = in.U64();
  uint8_t outpoint[OutPoint::kSerializedBytes] = {};
  const ByteSpan bytes = in.Take(sizeof(outpoint));
  std::copy(bytes.begin(), bytes.end(), outpoint);
  HR_CHECK(SipHash13OutPoint(key0, key1, outpoint) == SipHash13(key0, key1, outpoint));
}

// Insertions and removals in the order of the input, and the set that remains in sorted order.
void CheckMuHash(FuzzInput& in) {
  MuHash left;
  MuHash right;
  std::vector<Bytes> members;
  for (int i = 0; i < 6 && !in.empty(); ++i) {
    const uint8_t choice = in.U8();
    if (choice % 4 == 0 && !members.empty()) {
      const size_t at = choice / 4 % members.size();
      (choice / 64 % 2 == 0 ? left : right).Remove(members[at]);
      members.erase(members.begin() + static_cast<ptrdiff_t>(at));
    } else {
      const ByteSpan element = in.Take(choice % 40);
      members.emplace_back(element.begin(), element.end());
      (choice / 64 % 2 == 0 ? left : right).Insert(element);
    }
  }
  left.Combine(right);
  std::sort(members.begin(), members.end());
  MuHash sorted;
  for (const Bytes& member : members) sorted.Insert(member);
  HR_CHECK(left.Finish() == sorted.Finish());
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  switch (in.U8() % 8) {
    case 0:
    case 1:
    case 2:
      return CheckPieces(in);
    case 3:
    case 4:
      return CheckBatches(in);
    case 5:
    case 6:
      return CheckOutpoint(in);
    default:
      return CheckMuHash(in);
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (uint8_t kind = 0; kind < 8; ++kind) {
    for (const size_t size : {10u, 70u, 200u, 1500u}) {
      Bytes& input = corpus.emplace_back(1, kind);
      for (size_t i = 0; i < size; ++i) input.push_back(static_cast<uint8_t>(i * 29 + size));
    }
  }
  return corpus;
}

FUZZ_TARGET(hashes, 20'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
