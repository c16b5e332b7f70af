#include "tools/common/processor_check.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

constexpr uint32_t kBaseline = 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23;

TEST(ProcessorCheckTest, TheBaselineIsEnough) {
  EXPECT_EQ(MissingBaselineFeature(kBaseline, 1), nullptr);
  EXPECT_EQ(MissingBaselineFeature(~0u, ~0u), nullptr);
}

TEST(ProcessorCheckTest, EachMissingFeatureIsNamed) {
  const struct {
    int bit;
    const char* name;
  } features[] = {{0, "SSE3"}, {9, "SSSE3"}, {13, "CMPXCHG16B"}, {19, "SSE4.1"}, {20, "SSE4.2"}, {23, "POPCNT"}};
  for (const auto& feature : features) {
    EXPECT_STREQ(MissingBaselineFeature(~0u & ~(1u << feature.bit), ~0u), feature.name);
  }
  EXPECT_STREQ(MissingBaselineFeature(~0u, 0), "LAHF");
  EXPECT_STREQ(MissingBaselineFeature(0, 0), "SSE3");
}

}  // namespace
}  // namespace headrace
