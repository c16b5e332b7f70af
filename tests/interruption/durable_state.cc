#include "tests/interruption/durable_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "engine/base/endian.h"
#include "engine/consensus/chain_params.h"
#include "storage/coins/coin_manifest.h"
#include "tests/interop/block_file_contents.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

void ExpectNamedFilesStand(const CoinManifest& manifest, const fs::path& directory) {
  const fs::path image = directory / ImageFileName(manifest.image_serial);
  EXPECT_TRUE(fs::exists(image)) << image << " is named by the manifest and not there";
  if (fs::exists(image)) {
    EXPECT_EQ(fs::file_size(image), manifest.image_bytes) << image;
  }
  for (const SegmentEntry& entry : manifest.segments) {
    const fs::path segment = directory / SegmentFileName(entry.serial);
    EXPECT_TRUE(fs::exists(segment)) << segment << " is named by the manifest and not there";
    if (fs::exists(segment)) {
      EXPECT_GE(fs::file_size(segment), entry.records_end) << segment;
    }
  }
}

}  // namespace

std::string DurableState::CheckpointStage() const {
  if (has_manifest_aside) return "manifest written";
  const bool has_image = std::any_of(unnamed_coin_files.begin(), unnamed_coin_files.end(),
                                     [](const std::string& name) { return name.starts_with("image-"); });
  if (!has_image) return unnamed_coin_files.empty() ? "" : "segments";
  // Names of one width sort as their serials do.
  if (manifest && *unnamed_coin_files.begin() < ImageFileName(manifest->image_serial)) return "old files deleted";
  return "image written";
}

DurableState ReadDurableState(const std::string& network_directory, const std::map<Hash256, Bytes>& chain) {
  DurableState state;
  const fs::path coins = fs::path(network_directory) / "coins";
  const fs::path manifest_path = coins / kManifestFileName;
  if (fs::exists(manifest_path)) {
    const uint32_t magic = LoadLittle32(ParamsFor(ChainId::kRegtest).message_magic.data());
    const auto manifest = DecodeManifest(ReadFileBytes(manifest_path.string()), magic, manifest_path.string());
    EXPECT_TRUE(manifest.ok()) << "the manifest is the old one or the new one: " << manifest.status();
    if (manifest.ok()) {
      state.manifest = *manifest;
      ExpectNamedFilesStand(*manifest, coins);
    }
  }
  std::set<std::string> named;
  if (state.manifest) {
    named.insert(ImageFileName(state.manifest->image_serial));
    for (const SegmentEntry& entry : state.manifest->segments) named.insert(SegmentFileName(entry.serial));
  }
  if (fs::exists(coins)) {
    for (const auto& entry : fs::directory_iterator(coins)) {
      const std::string name = entry.path().filename().string();
      state.has_manifest_aside |= name == std::string(kManifestFileName) + ".new";
      if ((name.starts_with("image-") || name.starts_with("segment-")) && !named.contains(name)) {
        state.unnamed_coin_files.insert(name);
      }
    }
  }
  const fs::path blocks = fs::path(network_directory) / "blocks";
  if (fs::exists(blocks)) {
    for (const auto& entry : fs::directory_iterator(blocks)) {
      if (!entry.path().filename().string().starts_with("blk")) continue;
      for (const auto& [hash, bytes] : BlocksIn(ReadFileBytes(entry.path().string()))) {
        if (const auto known = chain.find(hash); known != chain.end() && known->second == bytes)
          state.blocks.insert(hash);
      }
    }
  }
  return state;
}

}  // namespace headrace::testing
