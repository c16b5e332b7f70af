// The book and its file: what cannot be read or written stops nobody.
#include "net/discovery/book_keeper.h"

#include "tests/net/discovery/book_fixture.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::HostInGroup;

class ScriptedFile final : public SmallFile {
 public:
  const std::string& path() const override { return path_; }
  absl::StatusOr<std::optional<std::vector<uint8_t>>> Read() override {
    if (!read_status.ok()) return read_status;
    return content;
  }
  absl::Status Replace(ByteSpan bytes) override {
    if (replace_status.ok()) content = std::vector<uint8_t>(bytes.begin(), bytes.end());
    return replace_status;
  }
  absl::StatusOr<std::string> KeepAside() override {
    ++kept_aside;
    if (!aside_status.ok()) return aside_status;
    content.reset();
    return path_ + ".damaged";
  }

  std::optional<std::vector<uint8_t>> content;
  absl::Status read_status, replace_status, aside_status;
  int kept_aside = 0;

 private:
  const std::string path_ = "/somewhere/addresses.dat";
};

BookImage SmallImage() {
  BookImage image;
  image.key = {1, 2};
  image.recent = {HostInGroup(1, 1)};
  return image;
}

TEST(BookKeeperTest, StoredIsLoaded) {
  ScriptedFile file;
  BookKeeper keeper(file);
  EXPECT_FALSE(keeper.Load().has_value()) << "no file";
  keeper.Store(EncodeBookImage(SmallImage()));
  EXPECT_EQ(keeper.Load(), SmallImage());
  EXPECT_EQ(file.kept_aside, 0);
}

TEST(BookKeeperTest, WhatCannotBeReadIsKeptAsideAndTold) {
  const auto expect_told = [](ScriptedFile& file) {
    CapturedLog log;
    BookKeeper keeper(file);
    EXPECT_FALSE(keeper.Load().has_value());
    EXPECT_EQ(file.kept_aside, 1);
    EXPECT_TRUE(log.Has("the address book begins empty")) << log.Tail(1000);
    EXPECT_TRUE(log.Has("/somewhere/addresses.dat")) << log.Tail(1000);
    return log.Tail(1000);
  };
  ScriptedFile damaged;
  damaged.read_status = absl::DataLossError("The file is damaged: its bytes do not match their checksum.");
  EXPECT_NE(expect_told(damaged).find("checksum"), std::string::npos);
  ScriptedFile nonsense;
  nonsense.content = std::vector<uint8_t>{1, 0, 0, 0, 9};
  expect_told(nonsense);
  ScriptedFile newer;
  newer.content = EncodeBookImage(SmallImage());
  (*newer.content)[0] = 9;
  EXPECT_NE(expect_told(newer).find("version 9"), std::string::npos);
  ScriptedFile stuck;
  stuck.content = std::vector<uint8_t>{1};
  stuck.aside_status = absl::UnavailableError("Cannot rename it.");
  EXPECT_NE(expect_told(stuck).find("Cannot rename it."), std::string::npos);
}

TEST(BookKeeperTest, WhatCannotBeWrittenIsToldOnce) {
  ScriptedFile file;
  BookKeeper keeper(file);
  file.replace_status = absl::ResourceExhaustedError("The disk is full.");
  {
    CapturedLog log;
    keeper.Store(EncodeBookImage(SmallImage()));
    EXPECT_TRUE(log.Has("The disk is full.")) << log.Tail(1000);
  }
  {
    CapturedLog log;
    keeper.Store(EncodeBookImage(SmallImage()));
    EXPECT_FALSE(log.Has("The disk is full.")) << log.Tail(1000);
  }
  file.replace_status = absl::OkStatus();
  keeper.Store(EncodeBookImage(SmallImage()));
  EXPECT_EQ(keeper.Load(), SmallImage());
  file.replace_status = absl::ResourceExhaustedError("The disk is full again.");
  CapturedLog log;
  keeper.Store(EncodeBookImage(SmallImage()));
  EXPECT_TRUE(log.Has("The disk is full again.")) << log.Tail(1000);
}

}  // namespace
}  // namespace headrace
