// Consecutive real headers over several retargets: they form a chain, and a header of which one field is another fails,
// each time by the rule that a plain reading of the rules names.
//
// A changed header has another hash, which meets no real target: proof of work hides every other rule. So each change
// is judged twice: as it came, and with its hash left aside. The rules that need a true hash (unknown and invalid
// parents, and all others under altered ancestors) are shown by real headers whose surroundings are changed instead.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <map>
#include <random>

#include "engine/chain/header_acceptance.h"
#include "engine/consensus/check_header.h"
#include "tests/reference/plain_difficulty.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

constexpr char kFile[] = "mainnet/headers-822528-830592.bin";

// Heights count from the file's first header, which begins a period, so that boundaries fall as they did; the versions
// that these blocks needed are needed from the first one on.
ChainParams ParamsOfThisFile() {
  ChainParams params = ParamsFor(ChainId::kMain);
  params.bip34_height = params.bip65_height = params.bip66_height = 0;
  return params;
}

class RealHeadersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HR_NEEDS_DATA(kFile);
    const std::vector<uint8_t> file = testing::ReadFileBytes(testing::DataDirectory() + "/" + kFile);
    ASSERT_EQ(file.size() % BlockHeader::kSerializedBytes, 0u);
    for (size_t at = 0; at < file.size(); at += BlockHeader::kSerializedBytes) {
      headers_.push_back(BlockHeader::Load(&file[at]));
      facts_.push_back({headers_.back().time_s, headers_.back().bits, headers_.back().version});
    }
    ASSERT_GT(headers_.size(), 2 * params_.difficulty_interval());
    now_s_ = headers_.back().time_s;
  }

  // The first `count` headers.
  std::unique_ptr<HeaderTree> TreeOf(size_t count) const {
    auto tree = std::make_unique<HeaderTree>(headers_[0]);
    for (size_t i = 1; i < count; ++i) tree->Add(headers_[i], headers_[i].Hash(), tree->best_header());
    return tree;
  }

  // Heights at and beside every boundary, then any.
  size_t AnyHeight(std::mt19937& random) const {
    const size_t interval = params_.difficulty_interval();
    if (random() % 2 == 0) return 12 + random() % (headers_.size() - 12);
    const size_t boundary = interval * (1 + random() % ((headers_.size() - 1) / interval));
    return std::min(boundary + random() % 3 - 1, headers_.size() - 1);
  }

  std::string Accept(HeaderTree& tree, const BlockHeader& header, int64_t now_s) const {
    return AcceptHeader(tree, header, params_, now_s).verdict.RejectReason();
  }

  const ChainParams params_ = ParamsOfThisFile();
  std::vector<BlockHeader> headers_;
  std::vector<HeaderFacts> facts_;
  int64_t now_s_ = 0;
};

TEST_F(RealHeadersTest, FormAChain) {
  HeaderTree tree(headers_[0]);
  for (size_t i = 1; i < headers_.size(); ++i) {
    // A clock that shows the header's own time: none was ahead of it.
    const HeaderAcceptance accepted = AcceptHeader(tree, headers_[i], params_, headers_[i].time_s);
    ASSERT_EQ(accepted.verdict.RejectReason(), "") << i;
    ASSERT_TRUE(accepted.is_new);
    ASSERT_EQ(tree.best_header(), accepted.id);
  }
  EXPECT_EQ(tree.height(tree.best_header()) + 1, headers_.size());
  std::cout << headers_.size() << " headers\n";
}

// The rules in the field's order, each from the plain twins; proof of work and parents are other tests' matter.
std::string PlainReason(const BlockHeader& header, const std::vector<HeaderFacts>& ancestors, const ChainParams& params,
                        int64_t now_s) {
  if (header.bits != testing::PlainRequiredBits(ancestors, header.time_s, params)) return "bad-diffbits";
  if (header.time_s <= testing::PlainMedianTime(ancestors)) return "time-too-old";
  if (header.time_s > now_s + 2 * 60 * 60) return "time-too-new";
  if (header.version >= 4) return "";
  char text[32];
  std::snprintf(text, sizeof(text), "bad-version(0x%08x)", static_cast<uint32_t>(header.version));
  return text;
}

struct FieldChange {
  std::string field;
  std::function<void(BlockHeader&, size_t height)> change;
};

TEST_F(RealHeadersTest, EveryChangeOfOneFieldFailsByItsRule) {
  std::mt19937 random(822'528);
  const auto other_hash = [&](Hash256& hash) { hash.bytes[random() % 32] ^= static_cast<uint8_t>(1 << random() % 8); };
  const FieldChange changes[] = {
      {"version", [&](BlockHeader& h, size_t) { h.version ^= 1 << random() % 32; }},
      {"version",
       [&](BlockHeader& h, size_t) { h.version = random() % 2 ? static_cast<int32_t>(random() % 4) : -h.version; }},
      {"previous", [&](BlockHeader& h, size_t) { other_hash(h.previous); }},
      {"merkle root", [&](BlockHeader& h, size_t) { other_hash(h.merkle_root); }},
      {"time",
       [&](BlockHeader& h, size_t height) {
         // Around the median, where the rule turns, or anywhere.
         const std::vector<HeaderFacts> ancestors(facts_.begin(), facts_.begin() + static_cast<std::ptrdiff_t>(height));
         const int64_t median_s = testing::PlainMedianTime(ancestors);
         h.time_s = random() % 4 == 0 ? random() : static_cast<uint32_t>(median_s + random() % 3 - 1);
       }},
      {"time", [&](BlockHeader& h, size_t) { h.time_s = static_cast<uint32_t>(now_s_ + 7200 + random() % 5 - 2); }},
      {"bits", [&](BlockHeader& h, size_t) { h.bits ^= 1u << random() % 32; }},
      {"bits", [&](BlockHeader& h, size_t) { h.bits += random() % 2 == 0 ? 1 : -1; }},
      {"bits",
       [&](BlockHeader& h, size_t height) {
         // The bits of the period before, or of the one to come: a boundary missed or moved.
         const size_t interval = params_.difficulty_interval();
         const size_t at = height + (random() % 2 == 0 ? interval : 0);
         h.bits = headers_[std::min(at < interval ? at : at - interval, headers_.size() - 1)].bits;
       }},
      {"nonce", [&](BlockHeader& h, size_t) { h.nonce ^= 1u << random() % 32; }},
  };
  const std::unique_ptr<HeaderTree> tree = TreeOf(headers_.size());
  std::map<std::string, uint32_t> seen;
  uint32_t cases = 0;
  for (int round = 0; round < 60; ++round) {
    for (const FieldChange& change : changes) {
      const size_t height = AnyHeight(random);
      BlockHeader header = headers_[height];
      change.change(header, height);
      if (header.Hash() == headers_[height].Hash()) continue;
      SCOPED_TRACE(change.field + " of header " + std::to_string(height));
      ASSERT_EQ(Accept(*tree, header, now_s_), "high-hash");
      ASSERT_EQ(tree->size(), headers_.size());
      ++cases;
      if (change.field == "previous") {
        ASSERT_EQ(tree->Find(header.previous), kNoHeader);
        continue;
      }
      // Its hash left aside: every rule that looks at the field itself.
      const HeaderId parent = static_cast<HeaderId>(height - 1);
      const std::vector<HeaderFacts> ancestors(facts_.begin(), facts_.begin() + static_cast<std::ptrdiff_t>(height));
      const std::string reason =
          CheckHeaderContext(header, TreeAncestry(*tree, parent), params_, now_s_).RejectReason();
      ASSERT_EQ(reason, PlainReason(header, ancestors, params_, now_s_));
      // The root and the nonce are judged by the block's transactions and by the hash; a header can have any.
      if (change.field == "merkle root" || change.field == "nonce") ASSERT_EQ(reason, "");
      if (change.field == "bits") ASSERT_EQ(reason, "bad-diffbits");
      ++seen[change.field + " " + reason.substr(0, reason.find('('))];
    }
  }
  for (const char* const wanted : {"version bad-version", "version ", "time time-too-old", "time time-too-new", "time ",
                                   "bits bad-diffbits", "merkle root ", "nonce "}) {
    EXPECT_GE(seen[wanted], 10u) << wanted;
  }
  EXPECT_GE(cases, 300u);
  std::cout << cases << " changes:";
  for (const auto& [what, count] : seen) std::cout << " [" << what << "]=" << count;
  std::cout << "\n";
}

// Real headers, whose hashes are good, among ancestors that are not theirs: a known hash with other facts behind it.
class AlteredChain {
 public:
  // Headers up to `height` - 1; `change` may alter what is believed of each, but not its hash.
  AlteredChain(const std::vector<BlockHeader>& headers, size_t height,
               const std::function<void(size_t, BlockHeader&)>& change)
      : tree_(Changed(headers, 0, change)) {
    for (size_t i = 1; i < height; ++i) {
      tree_.Add(Changed(headers, i, change), headers[i].Hash(), static_cast<HeaderId>(i - 1));
    }
  }
  HeaderTree& tree() { return tree_; }

 private:
  static BlockHeader Changed(const std::vector<BlockHeader>& headers, size_t i,
                             const std::function<void(size_t, BlockHeader&)>& change) {
    BlockHeader header = headers[i];
    change(i, header);
    return header;
  }

  HeaderTree tree_;
};

TEST_F(RealHeadersTest, RealHeadersFailAmongOtherAncestors) {
  std::mt19937 random(9);
  const size_t interval = params_.difficulty_interval();
  for (size_t boundary = interval; boundary < headers_.size(); boundary += interval) {
    SCOPED_TRACE(boundary);
    const BlockHeader& first = headers_[boundary];
    const auto reason = [&](size_t height, const std::function<void(size_t, BlockHeader&)>& change) {
      AlteredChain chain(headers_, height, change);
      return Accept(chain.tree(), headers_[height], now_s_);
    };
    EXPECT_EQ(reason(boundary, [](size_t, BlockHeader&) {}), "");
    // An hour on either end of the period changes what it took, and so the target. (The tree's root alone has its own
    // hash.)
    if (boundary > interval) {
      EXPECT_EQ(reason(boundary,
                       [&](size_t i, BlockHeader& h) {
                         if (i == boundary - interval) h.time_s += 3600;
                       }),
                "bad-diffbits");
    }
    EXPECT_EQ(reason(boundary,
                     [&](size_t i, BlockHeader& h) {
                       if (i == boundary - 1) h.time_s -= 3600;
                     }),
              "bad-diffbits");
    // What lies between the ends does not count.
    EXPECT_EQ(reason(boundary,
                     [&](size_t i, BlockHeader& h) {
                       if (i + 2 == boundary) h.time_s -= 3600;
                     }),
              "");
    EXPECT_EQ(reason(boundary,
                     [&](size_t i, BlockHeader& h) {
                       if (i + 1 == boundary) h.bits -= 0x100;
                     }),
              "bad-diffbits");
    if (boundary + 1 == headers_.size()) continue;
    EXPECT_EQ(reason(boundary + 1,
                     [&](size_t i, BlockHeader& h) {
                       if (i == boundary) ++h.bits;
                     }),
              "bad-diffbits");
    // Six of the last eleven as late as the header itself: the median has caught up with it.
    const size_t middle = boundary + 20 + random() % (interval / 2);
    if (middle >= headers_.size()) continue;
    const auto catch_up = [&](uint32_t count) {
      return reason(middle, [&](size_t i, BlockHeader& h) {
        if (i + 11 >= middle) h.time_s = i + count >= middle ? headers_[middle].time_s : first.time_s;
      });
    };
    EXPECT_EQ(catch_up(6), "time-too-old");
    EXPECT_EQ(catch_up(5), "");
  }
}

TEST_F(RealHeadersTest, RealHeadersFailWithoutAGoodParent) {
  std::mt19937 random(7);
  const std::unique_ptr<HeaderTree> part = TreeOf(2 * params_.difficulty_interval());
  for (int round = 0; round < 50; ++round) {
    const size_t height = part->size() + 1 + random() % (headers_.size() - part->size() - 1);
    ASSERT_EQ(Accept(*part, headers_[height], now_s_), "prev-blk-not-found") << height;
  }
  const BlockHeader& next = headers_[part->size()];
  EXPECT_EQ(Accept(*part, next, int64_t{next.time_s} - 7201), "time-too-new");
  ASSERT_EQ(Accept(*part, next, int64_t{next.time_s} - 7200), "");
  part->MarkInvalid(part->size() - 1);
  EXPECT_EQ(Accept(*part, next, now_s_), "duplicate-invalid");
  EXPECT_EQ(Accept(*part, headers_[part->size()], now_s_), "bad-prevblk");
}

}  // namespace
}  // namespace headrace
