// A manifest that cannot be read for now is not an absent one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/storage/coins/coin_world.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

size_t FilesIn(const std::string& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

// A link to itself stands for every failure that is not "no such file". Taken for an absent manifest it would cost all
// segments.
TEST(CoinOpenTest, AManifestThatCannotBeReadForNowCostsNothing) {
  CoinWorld world(1, 16 << 20);
  world.ApplyRandom(4, 50, 100);
  world.Checkpoint();
  const TemporaryDirectory copy;
  fs::copy(world.directory(), copy.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  const size_t files = FilesIn(copy.path());
  const std::string manifest = copy.File(kManifestFileName);
  const std::string kept = copy.path() + "-kept-manifest";
  fs::rename(manifest, kept);
  ASSERT_EQ(symlink(manifest.c_str(), manifest.c_str()), 0);
  const auto refused = OpenCoinStore(world.Options(copy.path()));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find(manifest), absl::string_view::npos) << refused.status();
  EXPECT_EQ(FilesIn(copy.path()), files) << "nothing was deleted";
  fs::remove(manifest);
  fs::rename(kept, manifest);
  const auto opened = OpenCoinStore(world.Options(copy.path()));
  ASSERT_TRUE(opened.ok()) << opened.status();
  world.ExpectEqual(**opened);
}

}  // namespace
}  // namespace headrace::testing
