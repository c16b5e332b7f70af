#include "tests/engine/script/real_spends.h"

#include <absl/container/flat_hash_map.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

constexpr ScriptFlags kFlagsOf2014 = kVerifyP2sh;
constexpr ScriptFlags kFlagsOf2016 = kVerifyP2sh | kVerifyDerSignatures | kVerifyCheckLockTimeVerify |
                                     kVerifyCheckSequenceVerify | kVerifyWitness | kVerifyNullDummy;
constexpr ScriptFlags kFlagsOfToday = kFlagsOf2016 | kVerifyTaproot;

using Visit = std::function<void(const RealTransaction&)>;

// The prevouts: amount, size and script of each, in the order of the inputs.
void VisitBlock(const RealSource& source, const Visit& visit) {
  Bytes raw = ReadFileBytes(source.path.substr(0, source.path.rfind('.')) + ".raw");
  const Bytes prevouts = ReadFileBytes(source.path);
  BlockColumns block;
  ASSERT_EQ(DecodeBlock(raw, block), DecodeError::kNone) << source.path;
  HashTransactions(block);
  ByteReader reader(prevouts);
  std::vector<Coin> spent;
  for (uint32_t t = 1; t < block.transaction_count(); ++t) {
    spent.assign(block.transaction(t).input_count(), {});
    for (Coin& coin : spent) {
      coin.amount = static_cast<Amount>(reader.U64());
      coin.script = reader.VarBytes();
    }
    ASSERT_TRUE(reader.ok()) << source.path;
    visit({block.transaction(t), spent, raw});
  }
  EXPECT_EQ(reader.remaining(), 0u) << source.path;
}

// Each block stands behind four bytes of magic and its size. Coins are kept by what the blocks say, scripts as views.
void VisitChain(const RealSource& source, const Visit& visit) {
  Bytes file = ReadFileBytes(source.path);
  absl::flat_hash_map<OutPoint, Coin> unspent;
  BlockColumns block;
  std::vector<Coin> spent;
  ByteReader reader(file);
  while (reader.ok() && reader.remaining() != 0) {
    reader.Skip(4);
    const uint32_t size = reader.U32();
    const size_t begin = reader.offset();
    reader.Skip(size);
    ASSERT_TRUE(reader.ok()) << source.path;
    const MutableByteSpan raw = MutableByteSpan(file).subspan(begin, size);
    ASSERT_EQ(DecodeBlock(raw, block), DecodeError::kNone) << source.path;
    HashTransactions(block);
    for (uint32_t t = 0; t < block.transaction_count(); ++t) {
      const TransactionView transaction = block.transaction(t);
      spent.clear();
      for (uint32_t i = 0; t != 0 && i < transaction.input_count(); ++i) {
        const auto coin = unspent.find(transaction.prevout(i));
        ASSERT_NE(coin, unspent.end()) << source.path;
        spent.push_back(coin->second);
        unspent.erase(coin);
      }
      if (t != 0) visit({transaction, spent, raw});
      for (uint32_t o = 0; o < transaction.output_count(); ++o) {
        unspent[{transaction.txid(), o}] = {transaction.amount(o), 0, t == 0, transaction.script_pubkey(o)};
      }
    }
  }
}

}  // namespace

std::vector<RealSource> RealSources() {
  std::vector<RealSource> sources;
  for (const std::string& path : DataFilesEndingWith(".prevouts")) {
    const bool is_mainnet = path.find("/mainnet/") != std::string::npos;
    sources.push_back({path, is_mainnet ? kFlagsOf2014 : kFlagsOf2016});
  }
  const std::string directory = DataDirectory();
  const RealSource chains[] = {{directory + "/mainnet/blocks-1-255.dat", kVerifyNone},
                               {directory + "/regtest/scripts-chain.blocks.dat", kFlagsOfToday, true}};
  for (const RealSource& chain : chains) {
    if (!directory.empty() && std::filesystem::exists(chain.path)) sources.push_back(chain);
  }
  return sources;
}

void VisitRealTransactions(const RealSource& source, const Visit& visit) {
  if (source.has_prevouts()) {
    VisitBlock(source, visit);
  } else {
    VisitChain(source, visit);
  }
}

}  // namespace headrace::testing
