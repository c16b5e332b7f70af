// A block store in a directory of its own, chains of made-up headers, and a way to see the store as a crash leaves it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>

#include "storage/blocks/flat_block_store.h"
#include "storage/file/open_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

inline constexpr NetworkMagic kTestMagic = {0xfa, 0xbf, 0xb5, 0xda};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() : files_(OpenFileSystem().value()), genesis_(Header(Hash256(), 0)) {}

  static BlockHeader Header(const Hash256& previous, uint32_t nonce) {
    BlockHeader header;
    header.version = 4;
    header.previous = previous;
    header.nonce = nonce;
    return header;
  }

  // A header and random bytes: the store does not look further.
  SlabRef Block(const BlockHeader& header, size_t size) {
    auto slab = std::make_shared<Slab>(size);
    for (uint8_t& byte : slab->writable()) byte = static_cast<uint8_t>(random_());
    header.Store(slab->writable().data());
    return slab;
  }

  std::vector<uint8_t> Bytes(size_t size) {
    std::vector<uint8_t> bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return bytes;
  }

  FlatBlockStore::Options Options(const std::string& directory) const {
    return {.directory = directory,
            .magic = kTestMagic,
            .genesis = genesis_,
            .file_bytes_max = file_bytes_max_,
            .queued_bytes_max = 1 << 20};
  }
  absl::StatusOr<std::unique_ptr<FlatBlockStore>> Open(const std::string& directory) {
    return FlatBlockStore::Open(*files_, Options(directory));
  }
  std::string Home() const { return directory_.File("blocks"); }

  // What a process that is killed now would leave.
  std::string CopyOf(const std::string& directory) {
    const std::string copy = directory_.File("copy" + std::to_string(copies_++));
    std::filesystem::copy(directory, copy);
    return copy;
  }

  static void FlipBit(const std::string& path, uint64_t offset, int bit = 0) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(offset));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(static_cast<char>(byte ^ (1 << bit)));
    ASSERT_TRUE(stream.good());
  }

  static void ExpectNames(const absl::Status& status, const std::string& word) {
    EXPECT_NE(std::string(status.message()).find(word), std::string::npos) << status;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
  BlockHeader genesis_;
  std::mt19937_64 random_{7};
  uint32_t file_bytes_max_ = 128 << 20;
  int copies_ = 0;
};

}  // namespace headrace::testing
