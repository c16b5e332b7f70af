// The real headraced and headrace-inspect on damaged directories: one damage of each kind to each family of files, the
// files that only the daemon has (lock, log), files that -loadblock should not be given, and a rebuild that is told to
// stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "engine/base/endian.h"
#include "storage/coins/page_checksums.h"
#include "tests/damage/damage.h"
#include "tests/damage/healthy_directory.h"
#include "tests/interop/node_process.h"
#include "tools/inspect/inspect_command.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

// A daemon on a copy of the directory of the node that was stopped cleanly.
class DamagedDaemon : public ::testing::Test {
 protected:
  DamagedDaemon() : node_("regtest") {
    CopyDirectory(Healthy().clean(), node_.network_directory());
    coins_ = node_.Coins();
    EXPECT_EQ(coins_.value("height", 0u), Healthy().clean_height());
  }
  std::string Path(const std::string& name) const { return node_.network_directory() + "/" + name; }
  std::vector<std::string> Offline(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"-connect=0", "-par=1", "-stopatheight=" + std::to_string(Healthy().clean_height())});
    return more;
  }
  // The sentence of a node that refuses; empty when it comes to the right set instead.
  std::string Outcome(const std::vector<std::string>& options) {
    const std::optional<int> status = node_.RunToEnd(options, 60);
    if (status == 0) {
      // A page that the node had no reason to read: whoever reads it says so.
      const ProgramResult coins = RunProgram({Program("headrace-inspect"), "coins", node_.network_directory()}, 60);
      if (coins.status == 1) return coins.errors;
      const nlohmann::json found = nlohmann::json::parse(coins.output, nullptr, /*allow_exceptions=*/false);
      EXPECT_EQ(found.value("hash_serialized_3", ""), coins_["hash_serialized_3"]) << node_.process().Everything();
      EXPECT_EQ(found.value("height", 0u), coins_["height"]);
      return "";
    }
    EXPECT_EQ(status, 1) << node_.process().Everything();
    const std::string errors = node_.process().Errors();
    EXPECT_TRUE(errors.starts_with("Error: ")) << node_.process().Everything();
    EXPECT_EQ(errors.find('\n'), errors.size() - 1) << "one line: " << errors;
    return errors;
  }
  void Restore() {
    fs::remove_all(node_.network_directory());
    CopyDirectory(Healthy().clean(), node_.network_directory());
  }

  NodeProcess node_;
  nlohmann::json coins_;
};

TEST_F(DamagedDaemon, EveryFamilyInEveryWay) {
  std::mt19937_64 random(31);
  std::set<std::pair<std::string, DamageKind>> done;
  size_t refused = 0;
  for (const DamageSource& source : Healthy().Sources(Healthy().clean())) {
    std::vector<Damage> damages = DamagesOf(source, 1, random);
    std::shuffle(damages.begin(), damages.end(), random);
    for (const Damage& damage : damages) {
      // A bit of a block or a record may be one that nobody asks for here; the test in process asks for all.
      const std::string family = source.name.substr(0, source.name.find_first_of("0123456789-."));
      if (!done.insert({family, damage.kind}).second) continue;
      SCOPED_TRACE(source.name + ": " + damage.what);
      damage.inflict(Path(source.name));
      const std::string sentence = Outcome(Offline());
      if (!sentence.empty()) {
        ++refused;
        EXPECT_NE(sentence.find(node_.network_directory()), std::string::npos) << "names no file: " << sentence;
        if (sentence.find("-reindex-chainstate") != std::string::npos) {
          EXPECT_EQ(Outcome(Offline({"-reindex-chainstate"})), "");
        }
      }
      Restore();
    }
  }
  std::printf("%zu damages, %zu refused\n", done.size(), refused);
  EXPECT_GT(refused, 10u);
}

TEST_F(DamagedDaemon, LogAndLockMayBeAnything) {
  ASSERT_EQ(Outcome(Offline()), "");
  for (const std::string name : {"debug.log", ".lock"}) {
    SCOPED_TRACE(name);
    const FileBytes junk(10'000, 0xfe);
    WriteBytes(Path(name), junk);
    EXPECT_EQ(Outcome(Offline()), "");
    WriteBytes(Path(name), {});
    EXPECT_EQ(Outcome(Offline()), "");
    fs::remove(Path(name));
    EXPECT_EQ(Outcome(Offline()), "");
    fs::remove(Path(name));
    fs::create_symlink(Path(name + ".nothing"), Path(name));
    EXPECT_EQ(Outcome(Offline()), "");
    fs::remove(Path(name));
    fs::create_directory(Path(name));
    EXPECT_THAT(Outcome(Offline()), ::testing::HasSubstr(name));
    fs::remove(Path(name));
  }
}

TEST_F(DamagedDaemon, LoadBlockOfWhatIsNoBlockFile) {
  const std::string directory = node_.directory();
  const std::string pipe = directory + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Outcome({"-connect=0", "-loadblock=" + pipe}),
              ::testing::AllOf(::testing::HasSubstr(pipe), ::testing::HasSubstr("a pipe")));
  EXPECT_THAT(Outcome({"-connect=0", "-loadblock=" + directory}),
              ::testing::AllOf(::testing::HasSubstr(directory), ::testing::HasSubstr("a directory")));
  const std::string file = directory + "/some.dat";
  for (const FileBytes& bytes : {FileBytes{}, FileBytes(3, 0xfa), FileBytes(100'000, 0), FileBytes(100'000, 0x55),
                                 ReadBytes(Healthy().clean() + "/coins/coins.manifest")}) {
    WriteBytes(file, bytes);
    EXPECT_THAT(Outcome({"-connect=0", "-loadblock=" + file}),
                ::testing::AllOf(::testing::HasSubstr(file), ::testing::HasSubstr("No block of the regtest network")));
  }
  EXPECT_EQ(Outcome(Offline()), "") << "nothing is lost";
}

// A rebuild is told to stop at a random moment, again and again: the next start, without the option, goes on with it.
TEST_F(DamagedDaemon, ARebuildThatIsToldToStopGoesOn) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    const bool is_killed = round % 2 == 1;
    std::vector<std::string> options = {"-connect=0", "-listen=0", "-par=1", "-reindex", "-checkpointinterval=1"};
    node_.Start(options);
    (void)node_.process().WaitForExit(static_cast<double>(random() % 200) / 1000);
    node_.process().Signal(is_killed ? SIGKILL : SIGTERM);
    const std::optional<int> status = node_.process().WaitForExit(60);
    EXPECT_THAT(status, ::testing::AnyOf(is_killed ? 128 + SIGKILL : 0, 128 + SIGTERM)) << node_.process().Everything();
    EXPECT_EQ(Outcome(Offline()), "");
  }
}

class Inspector : public ::testing::Test {
 protected:
  static std::pair<int, std::string> Verify(const std::string& directory) {
    std::ostringstream out, errors;
    const int code = RunInspect({"verify", directory, "-chain=regtest"}, out, errors);
    return {code, code == 0 ? out.str() : errors.str()};
  }
};

// Every flipped bit that a checksum or a commitment covers.
TEST_F(Inspector, FindsEveryFlippedBit) {
  const std::string directory = Healthy().NewPath();
  CopyDirectory(Healthy().clean(), directory);
  const auto [code, text] = Verify(directory);
  ASSERT_EQ(code, 0) << text;
  std::mt19937_64 random(77);
  const char* const rounds = std::getenv("HEADRACE_DAMAGE_ROUNDS");
  const size_t flips_a_file = 12 * (rounds == nullptr ? 1 : std::max(1, std::atoi(rounds)));
  size_t flips = 0;
  for (const DamageSource& source : Healthy().Sources(directory)) {
    for (size_t i = 0; i < flips_a_file; ++i) {
      FileBytes bytes = source.bytes;
      const uint64_t at = random() % bytes.size();
      // In an image of the smallest tables, a page and its checksum are followed by zeros to the end of a page.
      if (source.name.starts_with("coins/image") && at % (2 * kPageBytes) >= kPageBytes + 4) continue;
      bytes[at] ^= static_cast<uint8_t>(1u << (random() % 8));
      WriteBytes(directory + "/" + source.name, bytes);
      const auto [found, sentence] = Verify(directory);
      EXPECT_EQ(found, 1) << source.name << " byte " << at;
      EXPECT_NE(sentence.find(directory), std::string::npos) << sentence;
      EXPECT_EQ(sentence.find('\n'), sentence.size() - 1) << sentence;
      ++flips;
    }
    WriteBytes(directory + "/" + source.name, source.bytes);
  }
  std::printf("%zu bits flipped in %zu files\n", flips, Healthy().Sources(directory).size());
}

TEST_F(Inspector, SaysOneSentenceOfEverythingElse) {
  std::mt19937_64 random(78);
  const std::string directory = Healthy().NewPath();
  size_t cases = 0;
  for (const DamageSource& source : Healthy().Sources(Healthy().clean())) {
    for (const Damage& damage : DamagesOf(source, 1, random)) {
      if (damage.kind == DamageKind::kBitFlipped) continue;
      SCOPED_TRACE(source.name + ": " + damage.what);
      fs::remove_all(directory);
      CopyDirectory(Healthy().clean(), directory);
      damage.inflict(directory + "/" + source.name);
      const auto [code, sentence] = Verify(directory);
      ++cases;
      // A file that is gone may leave a directory that is whole, as one of an earlier time.
      if (code == 0) continue;
      EXPECT_TRUE(sentence.starts_with("Error: ")) << sentence;
      EXPECT_EQ(sentence.find('\n'), sentence.size() - 1) << sentence;
      EXPECT_NE(sentence.find(directory), std::string::npos) << sentence;
    }
  }
  std::printf("%zu damages inspected\n", cases);
}

}  // namespace
}  // namespace headrace::testing
