#include "tests/support/busy_branch.h"

#include <algorithm>

namespace headrace::testing {
namespace {

constexpr uint32_t kMaturity = 100;
constexpr uint8_t kNop = 0x61;
constexpr uint8_t kReturn = 0x6a;

}  // namespace

BusyBranch BusyBranch::Fork(uint32_t height, uint32_t seed) const {
  BusyBranch fork(seed);
  fork.chain_ = chain_;
  if (height < chain_.height()) fork.chain_.TruncateTo(height);
  for (const auto& [outpoint, coin] : fork.chain_.coins()) {
    if (coin.script == kFalseScript) {
      fork.traps_.push_back({outpoint, coin.amount});
    } else if (!coin.is_coinbase || coin.height + kMaturity <= height) {
      fork.purse_.push_back({outpoint, coin.amount});
    }
  }
  return fork;
}

std::vector<uint8_t> BusyBranch::AnyScript() {
  const uint32_t kind = Below(16);
  if (kind == 0) return kFalseScript;
  if (kind == 1) return {kReturn, 2, 7, 7};
  std::vector<uint8_t> script(kind < 8 ? 0 : Below(60), kNop);
  script.push_back(kTrueScript[0]);
  return script;
}

TestTransaction BusyBranch::Draft(uint32_t inputs_max) {
  TestTransaction transaction;
  Amount sum = 0;
  for (uint32_t inputs = 1 + Below(inputs_max); inputs != 0 && !purse_.empty(); --inputs) {
    std::swap(purse_[Below(static_cast<uint32_t>(purse_.size()))], purse_.back());
    transaction.inputs.push_back(purse_.back().outpoint);
    sum += purse_.back().amount;
    purse_.pop_back();
  }
  // Few coins multiply, many stay as many.
  const uint32_t outputs = purse_.size() < 200 ? 4 + Below(8) : 1 + Below(4);
  for (uint32_t o = 0; o < outputs; ++o) {
    std::vector<uint8_t> script = AnyScript();
    const Amount amount = script[0] == kReturn ? 0 : sum / (2 * outputs) + Below(2);
    if (amount > sum) break;
    sum -= amount;
    transaction.outputs.push_back({amount, std::move(script)});
  }
  if (transaction.outputs.empty()) transaction.outputs.push_back({0, kTrueScript});
  return transaction;
}

void BusyBranch::Include(const TestTransaction& transaction) {
  for (const OutPoint& input : transaction.inputs) {
    std::erase_if(purse_, [&](const Spendable& coin) { return coin.outpoint == input; });
  }
  const Hash256 txid = transaction.Txid();
  for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
    const TestOutput& output = transaction.outputs[o];
    if (output.script[0] == kReturn) continue;
    (output.script == kFalseScript ? traps_ : purse_).push_back({{txid, o}, output.amount});
  }
  next_.push_back(transaction);
}

void BusyBranch::Mature() {
  const uint32_t next_height = chain_.height() + 1;
  if (next_height <= kMaturity) return;
  const OutPoint coinbase = chain_.CoinbaseOf(next_height - kMaturity);
  purse_.push_back({coinbase, chain_.coins().at(coinbase).amount});
}

void BusyBranch::Fill(uint32_t transactions) {
  Mature();
  if (transactions == 0) return;
  for (uint32_t count = transactions / 2 + Below(transactions) + 1; count != 0 && !purse_.empty(); --count) {
    const TestTransaction transaction = Draft(3);
    const Hash256 txid = transaction.Txid();
    for (uint32_t o = 0; o < transaction.outputs.size(); ++o) {
      const TestOutput& output = transaction.outputs[o];
      if (output.script[0] == kReturn) continue;
      (output.script == kFalseScript ? traps_ : purse_).push_back({{txid, o}, output.amount});
    }
    next_.push_back(transaction);
  }
}

void BusyBranch::Mine(Amount coinbase_value) {
  chain_.Add(std::move(next_), coinbase_value, salt_);
  next_.clear();
}

void BusyBranch::Grow(uint32_t blocks, uint32_t transactions) {
  for (uint32_t i = 0; i < blocks; ++i) {
    Fill(transactions);
    Mine(-1);
  }
}

void BusyBranch::GrowBad(Offence offence, uint32_t transactions) {
  Fill(transactions);
  if (offence == Offence::kCoinbaseAmount) return Mine(kMaxMoney);
  TestTransaction bad;
  bad.outputs = {{0, kTrueScript}};
  if (offence == Offence::kBadScript && !traps_.empty()) {
    bad.inputs = {traps_.back().outpoint};
    traps_.pop_back();
  } else if (offence == Offence::kDoubleSpend && !next_.empty()) {
    bad.inputs = {next_.front().inputs[0]};
  } else {
    bad.inputs = {{chain_.blocks().front()->txids[0], 77}};
  }
  next_.push_back(bad);
  Mine(0);
}

}  // namespace headrace::testing
