#include "tools/inspect/inspect_command.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/consensus/chain_params.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/runtime/production_entropy.h"
#include "engine/runtime/tbb_executor.h"
#include "storage/coins/flat_coin_store.h"
#include "storage/file/open_file_system.h"
#include "tests/support/data.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

struct Answer {
  int code;
  std::string out;
  std::string errors;
};

Answer Inspect(const std::vector<std::string>& arguments) {
  std::ostringstream out, errors;
  const int code = RunInspect(arguments, out, errors);
  return {code, out.str(), errors.str()};
}

// A data directory with regtest below it: the genesis block in a block file, and an unspent set of one coin.
class InspectCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    network_ = directory_ + "/regtest";
    fs::create_directories(network_ + "/blocks");
    const ChainParams& chain = ParamsFor(ChainId::kRegtest);
    const std::vector<uint8_t> genesis = GenesisBlock(chain);
    std::vector<uint8_t> framed(chain.message_magic.begin(), chain.message_magic.end());
    framed.resize(8);
    StoreLittle(&framed[4], static_cast<uint32_t>(genesis.size()));
    framed.insert(framed.end(), genesis.begin(), genesis.end());
    framed.resize(framed.size() + 1000);  // reserved space
    Write(network_ + "/blocks/blk00000.dat", framed);
    MakeCoins(genesis, chain);
  }
  // The genesis block's columns serve as a block at height 1, whose coin can be told by its amount.
  void MakeCoins(const std::vector<uint8_t>& raw, const ChainParams& chain) {
    const std::unique_ptr<Executor> executor = MakeTbbExecutor(1);
    const std::unique_ptr<FileSystem> files = OpenFileSystem().value();
    ProductionEntropy entropy;
    CoinStoreOptions options;
    options.files = files.get();
    options.executor = executor.get();
    options.entropy = &entropy;
    options.directory = network_ + "/coins";
    options.network_magic = LoadLittle32(chain.message_magic.data());
    options.make_durable = [] { return absl::OkStatus(); };
    const auto store = OpenCoinStore(options).value();
    BlockColumns columns;
    ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
    HashTransactions(columns);
    std::vector<Coin> spent(columns.input_count());
    Arena arena;
    WindowBlock window[] = {{1, &columns, spent, &arena, false}};
    ASSERT_EQ(store->Apply(window).value(), WindowOutcome::kApplied);
    store->SetApplied(store->resolved());
    ASSERT_TRUE(store->FinishCheckpoint().ok());
  }
  static void Write(const std::string& path, const std::vector<uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc).write(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }

  testing::TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path();
  std::string network_;
};

TEST_F(InspectCommand, PrintsTheSet) {
  for (const std::string& path : {directory_, network_}) {
    const Answer answer = Inspect({"coins", path});
    ASSERT_EQ(answer.code, 0) << answer.errors;
    const nlohmann::json json = nlohmann::json::parse(answer.out);
    EXPECT_EQ(json["chain"], "regtest");
    EXPECT_EQ(json["height"], 1);
    EXPECT_EQ(json["txouts"], 1);
    EXPECT_EQ(json["bestblock"], ParamsFor(ChainId::kRegtest).genesis_hash.ToHex());
    EXPECT_NE(answer.out.find("\"total_amount\": 50.00000000"), std::string::npos) << answer.out;
    EXPECT_EQ(json["muhash"].get<std::string>().size(), 64u);
    EXPECT_EQ(json["hash_serialized_3"].get<std::string>().size(), 64u);
  }
}

TEST_F(InspectCommand, VerifiesIntactFiles) {
  const Answer answer = Inspect({"verify", directory_, "-chain=regtest"});
  EXPECT_EQ(answer.code, 0) << answer.errors;
  EXPECT_EQ(answer.out.find("DAMAGED"), std::string::npos) << answer.out;
  EXPECT_NE(answer.out.find("blk00000.dat  1 blocks"), std::string::npos) << answer.out;
}

TEST_F(InspectCommand, NamesEveryDamagedFile) {
  for (const auto& entry : fs::recursive_directory_iterator(network_)) {
    if (!entry.is_regular_file()) continue;
    const std::vector<uint8_t> good = ReadFileBytes(entry.path().string());
    std::vector<uint8_t> bad = good;
    // Inside the block, the record, the first table and the manifest alike.
    bad[100] ^= 1;
    Write(entry.path().string(), bad);
    const Answer answer = Inspect({"verify", network_});
    EXPECT_EQ(answer.code, 1) << entry.path();
    EXPECT_NE(answer.out.find("DAMAGED"), std::string::npos) << answer.out;
    EXPECT_NE(answer.errors.find("Error: " + entry.path().string()), std::string::npos) << answer.errors;
    Write(entry.path().string(), good);
  }
}

TEST_F(InspectCommand, RefusesWhatItDoesNotUnderstand) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"coins"},
                                                       {"cions", directory_},
                                                       {"coins", directory_, "more"},
                                                       {"coins", directory_, "-nonsense"},
                                                       {"coins", directory_, "-chain=nowhere"},
                                                       {"coins", directory_ + "/absent"},
                                                       {"coins", network_, "-chain=main"},
                                                       {"coins", network_ + "/blocks"}};
  for (const auto& arguments : wrong) {
    const Answer answer = Inspect(arguments);
    EXPECT_EQ(answer.code, 1);
    EXPECT_TRUE(answer.errors.starts_with("Error: ")) << answer.errors;
  }
  fs::create_directories(directory_ + "/signet/coins");
  EXPECT_NE(Inspect({"coins", directory_}).errors.find("several networks"), std::string::npos);
}

}  // namespace
}  // namespace headrace::testing
