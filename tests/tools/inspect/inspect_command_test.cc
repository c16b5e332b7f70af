#include "tools/inspect/inspect_command.h"
#include "storage/blocks/flat_block_store.h"
#include "tests/support/chain_builder.h"

#include <algorithm>
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

// A write that a kill cut short stays in the file, and the block stands again behind it: no record names the first place.
TEST_F(InspectCommand, AFrameThatAKillCutShortIsNoDamage) {
  fs::remove_all(network_ + "/blocks");
  testing::ChainBuilder chain;
  for (int i = 0; i < 2; ++i) chain.Add();
  BlockPosition last;
  {
    const ChainParams& params = ParamsFor(ChainId::kRegtest);
    const auto files = OpenFileSystem().value();
    FlatBlockStore::Options options;
    options.directory = network_ + "/blocks";
    options.magic = params.message_magic;
    options.genesis = BlockHeader::Load(GenesisBlock(params).data());
    const auto store = FlatBlockStore::Open(*files, options).value();
    ASSERT_TRUE(store->PutRecord(0, {.header = options.genesis}).ok());
    const BlockPosition first = store->AppendBlock(chain.blocks()[0]->raw).value();
    std::vector<uint8_t> torn(chain.blocks()[1]->raw->bytes().begin(), chain.blocks()[1]->raw->bytes().end());
    std::fill(torn.begin() + 90, torn.end(), uint8_t{0});
    ASSERT_TRUE(store->AppendBlock(Slab::Copy(torn)).ok());
    last = store->AppendBlock(chain.blocks()[1]->raw).value();
    ASSERT_TRUE(store->PutRecord(1, {.header = chain.blocks()[0]->header, .data = first, .transaction_count = 1}).ok());
    ASSERT_TRUE(store->PutRecord(2, {.header = chain.blocks()[1]->header, .data = last, .transaction_count = 1}).ok());
  }
  const Answer whole = Inspect({"verify", network_});
  EXPECT_EQ(whole.code, 0) << whole.out << whole.errors;
  const std::string path = network_ + "/blocks/blk00000.dat";
  std::vector<uint8_t> bad = ReadFileBytes(path);
  std::fill(bad.begin() + last.offset + 90, bad.begin() + last.offset + last.size, uint8_t{0});
  Write(path, bad);
  EXPECT_EQ(Inspect({"verify", network_}).code, 1) << "the same, where a record names it";
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
