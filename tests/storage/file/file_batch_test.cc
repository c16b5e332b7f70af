// Batches against both file systems: contents, order around syncs, depth, many submitters, destruction.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <random>
#include <thread>

#include "tests/storage/file/file_system_fixture.h"

namespace headrace::testing {
namespace {

using Kind = FileOperation::Kind;

class FileBatchTest : public FileSystemTest {
 protected:
  FileRef Create(const std::string& name) {
    absl::StatusOr<FileRef> file = files_->Open(directory_.File(name), OpenMode::kCreate);
    EXPECT_TRUE(file.ok()) << file.status();
    return *file;
  }
  absl::Status Run(std::vector<FileOperation> operations) {
    auto batch = std::make_shared<FileBatch>();
    batch->operations = std::move(operations);
    files_->Submit(batch);
    batch->Wait();
    EXPECT_TRUE(batch->done());
    return batch->status();
  }
};

std::vector<uint8_t> RandomBytes(std::mt19937_64& random, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

TEST_P(FileBatchTest, RandomBatchesMatchAModel) {
  std::mt19937_64 random(1);
  const FileRef file = Create("model");
  std::vector<uint8_t> model;
  for (int round = 0; round < 60; ++round) {
    // Disjoint writes, in shuffled order, over the end of the file as well; holes read as zeros.
    std::vector<FileOperation> writes;
    std::vector<std::vector<uint8_t>> payloads;
    payloads.reserve(400);
    uint64_t offset = random() % 5000;
    for (int i = 0; i < 300; ++i) {
      const size_t size = random() % 4 == 0 ? random() % 9000 : random() % 40;
      payloads.push_back(RandomBytes(random, size));
      if (size != 0 && model.size() < offset + size) model.resize(offset + size);
      std::copy(payloads.back().begin(), payloads.back().end(), model.begin() + static_cast<ptrdiff_t>(offset * (size != 0)));
      writes.push_back({.kind = Kind::kWrite, .file = file, .offset = offset, .write_from = payloads.back()});
      offset += size + random() % 3 * 100;
    }
    std::shuffle(writes.begin(), writes.end(), random);
    if (round % 3 == 0) writes.push_back({.kind = Kind::kSync, .file = file});
    ASSERT_TRUE(Run(std::move(writes)).ok());
    ASSERT_EQ(*file->Size(), model.size());

    std::vector<FileOperation> reads;
    std::vector<std::vector<uint8_t>> buffers;
    std::vector<size_t> offsets;
    for (int i = 0; i < 300; ++i) {
      offsets.push_back(random() % model.size());
      buffers.emplace_back(random() % std::min<size_t>(10000, model.size() - offsets.back() + 1));
    }
    for (size_t i = 0; i < buffers.size(); ++i) {
      reads.push_back({.kind = Kind::kRead, .file = file, .offset = offsets[i], .read_into = buffers[i]});
    }
    ASSERT_TRUE(Run(std::move(reads)).ok());
    for (size_t i = 0; i < buffers.size(); ++i) {
      ASSERT_TRUE(std::equal(buffers[i].begin(), buffers[i].end(), model.begin() + static_cast<ptrdiff_t>(offsets[i])));
    }
  }
}

TEST_P(FileBatchTest, WhatFollowsASyncSeesWhatPrecedesIt) {
  std::mt19937_64 random(2);
  const FileRef file = Create("order");
  for (int round = 0; round < 50; ++round) {
    // Each generation overwrites the same blocks; the reads between two syncs must see exactly their generation.
    constexpr size_t kBlocks = 40;
    constexpr size_t kGenerations = 4;
    std::vector<std::vector<uint8_t>> written;
    std::vector<std::vector<uint8_t>> read;
    written.reserve(kBlocks * kGenerations);
    read.reserve(kBlocks * kGenerations);
    std::vector<FileOperation> operations;
    for (size_t generation = 0; generation < kGenerations; ++generation) {
      for (size_t block = 0; block < kBlocks; ++block) {
        written.push_back(RandomBytes(random, 512));
        operations.push_back(
            {.kind = Kind::kWrite, .file = file, .offset = block * 512, .write_from = written.back()});
      }
      operations.push_back({.kind = Kind::kSync, .file = file});
      for (size_t block = 0; block < kBlocks; ++block) {
        read.emplace_back(512);
        operations.push_back({.kind = Kind::kRead, .file = file, .offset = block * 512, .read_into = read.back()});
      }
      operations.push_back({.kind = Kind::kSync, .file = file});
    }
    ASSERT_TRUE(Run(std::move(operations)).ok());
    ASSERT_EQ(written, read);
  }
}

TEST_P(FileBatchTest, NothingAfterASyncIsDoneOnceSomethingBeforeItFailed) {
  const FileRef file = Create("failed");
  const std::vector<uint8_t> bytes(100, 7);
  std::vector<uint8_t> beyond(10);
  const absl::Status status = Run({{.kind = Kind::kRead, .file = file, .offset = 1000, .read_into = beyond},
                                   {.kind = Kind::kSync, .file = file},
                                   {.kind = Kind::kWrite, .file = file, .offset = 0, .write_from = bytes}});
  EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
  EXPECT_EQ(*file->Size(), 0u);
}

TEST_P(FileBatchTest, BatchesWithoutWorkEndToo) {
  EXPECT_TRUE(Run({}).ok());
  const FileRef file = Create("empty");
  EXPECT_TRUE(Run({{.kind = Kind::kWrite, .file = file}, {.kind = Kind::kRead, .file = file, .offset = 99}}).ok());
  EXPECT_TRUE(Run({{.kind = Kind::kSync, .file = file}, {.kind = Kind::kSync, .file = file}}).ok());
}

TEST_P(FileBatchTest, ManySubmittersAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kBatches = 700;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &failures] {
      const FileRef file = Create("submitter" + std::to_string(t));
      // Nobody waits before the end, so the queue runs full and pushes back.
      std::vector<FileBatchRef> batches;
      std::vector<uint8_t> bytes(kBatches);
      for (int i = 0; i < kBatches; ++i) bytes[i] = static_cast<uint8_t>(i + t);
      for (int i = 0; i < kBatches; ++i) {
        auto batch = std::make_shared<FileBatch>();
        batch->operations.push_back({.kind = Kind::kWrite, .file = file, .offset = static_cast<uint64_t>(i),
                                     .write_from = {&bytes[i], 1}});
        if (i % 100 == 99) batch->operations.push_back({.kind = Kind::kSync, .file = file});
        files_->Submit(batch);
        batches.push_back(batch);
      }
      for (const FileBatchRef& batch : batches) {
        batch->Wait();
        if (!batch->status().ok()) ++failures;
      }
      std::vector<uint8_t> read(kBatches);
      if (!files_->ReadAt(file, 0, read).ok() || read != bytes) ++failures;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
}

TEST_P(FileBatchTest, DestructionCarriesOutWhatWasSubmitted) {
  std::vector<FileBatchRef> batches;
  const auto bytes = std::make_shared<const std::vector<uint8_t>>(1000, 9);
  {
    const FileRef file = Create("drained");
    for (uint64_t i = 0; i < 500; ++i) {
      auto batch = std::make_shared<FileBatch>();
      batch->operations.push_back(
          {.kind = Kind::kWrite, .file = file, .offset = i * 1000, .write_from = *bytes, .owner = bytes});
      batch->operations.push_back({.kind = Kind::kSync, .file = file});
      files_->Submit(batch);
      batches.push_back(batch);
    }
  }
  files_.reset();
  for (const FileBatchRef& batch : batches) {
    ASSERT_TRUE(batch->done());
    ASSERT_TRUE(batch->status().ok());
  }
  EXPECT_EQ(batches.front()->operations.front().file->Size().value(), 500'000u);
}

TEST_P(FileBatchTest, OffsetsBeyondFourGibibytes) {
  const FileRef file = Create("sparse");
  const uint64_t far = (uint64_t{5} << 30) + 123;
  const std::vector<uint8_t> bytes = {1, 2, 3, 4, 5};
  ASSERT_TRUE(files_->WriteAt(file, far, bytes).ok());
  EXPECT_EQ(*file->Size(), far + 5);
  std::vector<uint8_t> read(5);
  ASSERT_TRUE(files_->ReadAt(file, far, read).ok());
  EXPECT_EQ(read, bytes);
  ASSERT_TRUE(files_->ReadAt(file, far - (uint64_t{4} << 30), read).ok());
  EXPECT_EQ(read, std::vector<uint8_t>(5));
  const absl::StatusOr<SharedBytes> mapped = files_->MapReadOnly(file, far, 5);
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), mapped->bytes.begin()));
}

TEST_P(FileBatchTest, ReadsPastTheEndNameFileAndOffset) {
  const FileRef file = Create("short");
  ASSERT_TRUE(files_->WriteAt(file, 0, std::vector<uint8_t>(100)).ok());
  std::vector<uint8_t> read(50);
  EXPECT_TRUE(files_->ReadAt(file, 50, read).ok());
  for (const uint64_t offset : {uint64_t{51}, uint64_t{99}, uint64_t{100}, uint64_t{1} << 40}) {
    const absl::Status status = files_->ReadAt(file, offset, read);
    EXPECT_TRUE(absl::IsOutOfRange(status)) << status;
    EXPECT_NE(std::string(status.message()).find(file->path()), std::string::npos);
    EXPECT_NE(std::string(status.message()).find(std::to_string(offset)), std::string::npos);
  }
}

TEST_P(FileBatchTest, NamesChangeInTheirOrder) {
  const std::string first = directory_.File("first");
  const std::string second = directory_.File("second");
  const FileRef file = Create("first");
  ASSERT_TRUE(Run({{.kind = Kind::kWrite, .file = file, .write_from = AsBytes("here")},
                   {.kind = Kind::kSync, .file = file},
                   {.kind = Kind::kRename, .path = first, .new_path = second},
                   {.kind = Kind::kSyncDirectory, .path = directory_.path()}})
                  .ok());
  EXPECT_FALSE(files_->Exists(first));
  EXPECT_EQ(AsText(files_->ReadWholeFile(second, 100).value()), "here");
  const FileBatchRef removal = files_->BeginRemove(second);
  removal->Wait();
  EXPECT_TRUE(removal->status().ok()) << removal->status();
  EXPECT_TRUE(files_->List(directory_.path()).value().empty());
}

TEST_P(FileBatchTest, ChangesOfNamesThatFailSayWhich) {
  const std::string absent = directory_.File("absent");
  const FileRef file = Create("file");
  for (const FileOperation& operation :
       {FileOperation{.kind = Kind::kRemove, .path = absent},
        FileOperation{.kind = Kind::kRename, .path = absent, .new_path = directory_.File("other")},
        FileOperation{.kind = Kind::kSyncDirectory, .path = absent}}) {
    const absl::Status status = Run({operation, {.kind = Kind::kWrite, .file = file, .write_from = AsBytes("after")}});
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_NE(std::string(status.message()).find(absent), std::string::npos) << status;
    EXPECT_EQ(file->Size().value(), 0u) << "something followed a failure";
  }
  EXPECT_FALSE(Run({{.kind = Kind::kSyncDirectory, .path = file->path()}}).ok()) << "not a directory";
}

// A read from an empty FIFO ends only when somebody writes to it: an operation that lasts exactly as long as the test wants.
TEST_P(FileBatchTest, ASyncWaitsForASlowOperationAndOtherBatchesDoNot) {
  if (GetParam() == FileSystemChoice::kPlain) GTEST_SKIP() << "the twin carries out one operation after another";
  const std::string path = directory_.File("slow");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const FileRef slow = files_->Open(path, OpenMode::kReadWrite).value();
  const FileRef file = Create("held-back");
  std::vector<uint8_t> read(5);
  auto held_back = std::make_shared<FileBatch>();
  held_back->operations = {{.kind = Kind::kRead, .file = slow, .read_into = read},
                           {.kind = Kind::kSync, .file = file},
                           {.kind = Kind::kWrite, .file = file, .write_from = AsBytes("after")}};
  files_->Submit(held_back);
  const FileRef other = Create("other");
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(files_->WriteAt(other, 0, AsBytes("independent")).ok());
    ASSERT_TRUE(files_->Sync(other).ok());
  }
  EXPECT_FALSE(held_back->done());
  EXPECT_EQ(file->Size().value(), 0u);
  // In two parts: the first read comes back short and is continued.
  ASSERT_TRUE(files_->WriteAt(slow, 0, AsBytes("ab")).ok());
  ASSERT_TRUE(files_->Sync(other).ok());
  EXPECT_FALSE(held_back->done());
  ASSERT_TRUE(files_->WriteAt(slow, 0, AsBytes("cde")).ok());
  held_back->Wait();
  EXPECT_TRUE(held_back->status().ok()) << held_back->status();
  EXPECT_EQ(AsText(read), "abcde");
  EXPECT_EQ(file->Size().value(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Both, FileBatchTest, ::testing::Values(FileSystemChoice::kUring, FileSystemChoice::kPlain),
                         [](const auto& info) { return info.param == FileSystemChoice::kUring ? "Uring" : "Plain"; });

}  // namespace
}  // namespace headrace::testing
