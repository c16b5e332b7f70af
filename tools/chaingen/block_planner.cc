#include "tools/chaingen/block_planner.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "engine/base/check.h"
#include "tools/chaingen/genesis.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/sighash.h"

namespace headrace::chaingen {
namespace {

constexpr int64_t kSigopCostMax = 80'000;
// Header, count and coinbase with its commitment, generously; a coinbase may pay to bare multisignature.
constexpr int64_t kCoinbaseWeight = 2'000;
constexpr int64_t kCoinbaseSigops = 80;
// Version, lock time, counts, marker and flag; an input that needs no witness has an empty one in a transaction with
// others.
constexpr int64_t kTransactionWeight = 4 * 14 + 2;
constexpr int64_t kEmptyWitnessWeight = 1;
// Above any lock's, see CostOf.
constexpr int64_t kInputWeightMax = 1'200;
constexpr int64_t kInputSigopsMax = 12;
constexpr int64_t kOutputWeightMax = 4 * (9 + 105);
constexpr int64_t kOutputSigopsMax = 80;
// Where blocks are full, weight ends them and not this.
constexpr uint32_t kCountMax = 20'000;
constexpr uint32_t kInputsMeanPerMille = 2000;
constexpr uint32_t kOutputsMeanPerMille = 2200;

// No output is made smaller; coins below are never spent, so that every spend can pay for at least one output. Little enough for
// tens of millions of coins: all that a regtest chain ever has is 15,000 BTC.
constexpr Amount kOutputAmountMin = 100;
// Shares of a split differ by up to this factor.
constexpr uint64_t kShareMax = 16;
// Coins are scarce below so many blocks' worth of inputs, which is what spending at mainnet's ages needs; outputs a
// transaction then has, as long as each gets this much.
constexpr uint64_t kScarceBlocks = 60;
constexpr uint32_t kFanOut = 100;
constexpr Amount kFanOutAmountMin = kCoin / 1000;
// Blocks of fewer transactions have no room for payouts of pools.
constexpr uint32_t kPayoutCountMin = 100;
// Data outputs a transaction has; only more of them owed than this are paid off several at a time.
constexpr uint32_t kDataOwedMax = 16;

constexpr TransactionForm kPayout = {0, 1, 1, 10, 40};
constexpr TransactionForm kBatch = {0, 1, 1, 8, 40};
constexpr TransactionForm kConsolidation = {0, 5, 25, 1, 1};

// Sixteen equally likely values of an exponential distribution whose mean is 1000: the transactions that come between
// two blocks, since those are found at random times.
constexpr std::array<uint32_t, 16> kExponential = {32,  99,  170,  248,  332,  424,  525,  637,
                                                   764, 908, 1078, 1281, 1537, 1881, 2408, 3676};

uint32_t MatchingSequence(Lock lock, uint32_t otherwise) {
  // BIP68 reads the low bits as blocks. BIP65 asks for a sequence that is not final. Any other lock takes what comes.
  if (lock.kind == LockKind::kCheckSequence) return KeyRing::SequenceOf(lock.key);
  return lock.kind == LockKind::kCheckLockTime ? 0xfffffffe : otherwise;
}

bool HasWitness(LockKind kind) {
  switch (kind) {
    case LockKind::kP2pk:
    case LockKind::kP2pkUncompressed:
    case LockKind::kP2pkh:
    case LockKind::kP2pkhUncompressed:
    case LockKind::kMultisig1of2:
    case LockKind::kMultisig2of3:
    case LockKind::kP2shMultisig2of3:
      return false;
    default:
      return true;
  }
}

size_t AgeClass(uint32_t age) { return age == 0 ? 0 : age < 10 ? 1 : age < 100 ? 2 : 3; }

uint64_t MeanInputsPerMille(const ChainShape& shape, const EraProfile& profile) {
  if (shape.inputs_mean_per_mille || profile.forms.empty()) {
    return shape.inputs_mean_per_mille.value_or(kInputsMeanPerMille);
  }
  uint64_t sum = 0;
  for (const TransactionForm& form : profile.forms)
    sum += uint64_t{form.per_mille} * (form.inputs_min + form.inputs_max) / 2;
  return sum;
}

}  // namespace

bool BlockPlanner::Budget::Fits(const Counts& counts) const {
  const int64_t outputs = std::max(counts.outputs, counts.fan_out);
  return kTransactionWeight + counts.inputs * kInputWeightMax + outputs * kOutputWeightMax <= weight &&
         counts.inputs * kInputSigopsMax + outputs * kOutputSigopsMax <= sigops;
}

BlockPlanner::BlockPlanner(const ChainShape& shape, TransactionTable& table)
    : shape_(shape),
      profile_(ProfileOf(shape.era)),
      weights_(WeightsWith(profile_.scripts, shape.shares).value()),
      weights_sum_(std::accumulate(weights_.begin(), weights_.end(), uint64_t{0})),
      payments_sum_(weights_sum_ - weights_[kDataScript]),
      usual_count_(shape.transactions_per_block.value_or(profile_.transactions_per_block)),
      scarce_below_(kScarceBlocks * usual_count_ * MeanInputsPerMille(shape, profile_) / 1000),
      growth_(GrowthWanted()),
      table_(table),
      random_(shape.seed),
      coins_(shape.blocks) {}

// The era's growth goes with the era's transactions: with fewer of them it is less, with other means it is theirs.
std::optional<uint32_t> BlockPlanner::GrowthWanted() const {
  if (shape_.growth) return shape_.growth;
  if (!profile_.growth || shape_.inputs_mean_per_mille || shape_.outputs_mean_per_mille) return std::nullopt;
  return static_cast<uint32_t>(uint64_t{*profile_.growth} * usual_count_ / profile_.transactions_per_block);
}

uint32_t BlockPlanner::DrawTransactionCount() {
  if (shape_.transactions_per_block) return *shape_.transactions_per_block;
  if (profile_.fills_blocks) return kCountMax;
  if (profile_.forms.empty()) return usual_count_;
  return static_cast<uint32_t>(uint64_t{usual_count_} * kExponential[random_.Below(kExponential.size())] / 1000);
}

int64_t BlockPlanner::DrawWeight() {
  const int64_t most = int64_t{shape_.block_weight_max.value_or(profile_.block_weight)} - kCoinbaseWeight;
  const bool is_partly_filled = !shape_.transactions_per_block && profile_.partly_filled_one_in != 0 &&
                                random_.OneIn(profile_.partly_filled_one_in);
  return is_partly_filled ? most * static_cast<int64_t>(random_.Below(1000)) / 1000 : most;
}

uint32_t BlockPlanner::DrawWithin(uint32_t least, uint32_t most) {
  return least + static_cast<uint32_t>(random_.Below(most - least + 1));
}

bool BlockPlanner::DrawsData() { return random_.Below(weights_sum_) < weights_[kDataScript]; }

Lock BlockPlanner::DrawLock() {
  uint64_t drawn = random_.Below(payments_sum_);
  uint32_t kind = 0;
  while (drawn >= weights_[kind]) drawn -= weights_[kind++];
  return {static_cast<LockKind>(kind), static_cast<uint32_t>(random_.Below(shape_.keys))};
}

// Nearly everybody signs everything; now and then one of the other types.
uint8_t BlockPlanner::DrawHashType(bool has_matching_output) {
  if (!random_.OneIn(profile_.other_hash_type_one_in)) return kSighashAll;
  uint8_t type = static_cast<uint8_t>(1 + random_.Below(3));
  if (type == kSighashSingle && !has_matching_output) type = kSighashNone;
  return random_.OneIn(2) ? type : type | kSighashAnyoneCanPay;
}

// Nothing where counts are spread around means.
const TransactionForm* BlockPlanner::DrawForm() {
  // Steering starts where the drift is more than chance makes of itself.
  if (growth_ && growth_owed_ > drift_tolerance() + *growth_) return &kBatch;
  if (growth_ && growth_owed_ < -drift_tolerance()) return &kConsolidation;
  if (profile_.forms.empty()) return nullptr;
  uint64_t drawn = random_.Below(1000);
  size_t form = 0;
  while (drawn >= profile_.forms[form].per_mille) drawn -= profile_.forms[form++].per_mille;
  return &profile_.forms[form];
}

BlockPlanner::Counts BlockPlanner::DrawCounts() {
  const TransactionForm* form = DrawForm();
  Counts counts;
  if (form != nullptr) {
    counts.inputs = DrawWithin(form->inputs_min, form->inputs_max);
    counts.outputs = DrawWithin(form->outputs_min, form->outputs_max);
  }
  if (form == &kBatch || form == &kConsolidation) return counts;
  if (shape_.inputs_mean_per_mille || form == nullptr) {
    counts.inputs = random_.Around(shape_.inputs_mean_per_mille.value_or(kInputsMeanPerMille));
  }
  if (shape_.outputs_mean_per_mille || form == nullptr) {
    counts.outputs = random_.Around(shape_.outputs_mean_per_mille.value_or(kOutputsMeanPerMille));
  }
  return counts;
}

void BlockPlanner::AddInput(const PooledCoin& coin, uint32_t sequence, PlannedTransaction& transaction,
                            BlockPlan& plan) {
  const auto script = static_cast<uint32_t>(coin.lock.kind);
  plan.inputs.push_back({coin.slot, coin.index, coin.lock, coin.amount, MatchingSequence(coin.lock, sequence), 0});
  ++transaction.input_count;
  // BIP65: the transaction's own lock time must have reached the script's. BIP68 holds from version 2 on.
  if (coin.lock.kind == LockKind::kCheckLockTime) transaction.lock_time = KeyRing::kLockTimeMax;
  if (coin.lock.kind == LockKind::kCheckSequence) transaction.version = 2;
  plan.has_witness |= HasWitness(coin.lock.kind);
  if (table_.height(coin.slot) == height_) {
    transaction.wave = std::max(transaction.wave, table_.wave(coin.slot) + 1);
  }
  ++plan.totals.inputs;
  ++plan.totals.inputs_by_script[script];
  ++plan.totals.inputs_by_age[AgeClass(height_ - table_.height(coin.slot))];
  plan.totals.signatures += SignaturesOf(coin.lock.kind);
  if (table_.Spend(coin.slot)) plan.emptied_slots.push_back(coin.slot);
}

Amount BlockPlanner::PlanInputs(uint32_t count, const std::optional<PooledCoin>& first, PlannedTransaction& transaction,
                                BlockPlan& plan) {
  const uint32_t sequence = profile_.sequences[random_.Below(profile_.sequences.size())];
  Amount total = 0;
  for (uint32_t i = 0; i < count; ++i) {
    const std::optional<PooledCoin> coin = i == 0 && first ? first : coins_.Take(random_);
    if (!coin) break;
    AddInput(*coin, sequence, transaction, plan);
    total += coin->amount;
  }
  return total;
}

uint32_t BlockPlanner::PlanOutputs(const Counts& counts, Amount payable, PlannedTransaction& transaction,
                                   BlockPlan& plan) {
  // So many that every output gets its minimum even with the smallest share.
  const Amount most = std::max<Amount>(payable / (kOutputAmountMin * static_cast<Amount>(kShareMax)), 1);
  const Amount fan_out = std::min<Amount>(counts.fan_out, payable / kFanOutAmountMin);
  const bool fans_out = fan_out > counts.outputs;
  const auto count = static_cast<uint32_t>(std::min<Amount>(fans_out ? fan_out : counts.outputs, most));
  uint32_t payments = 0, data = 0;
  for (uint32_t i = 0; i < count; ++i) {
    PlannedOutput output;
    // Transactions that fan out are not the era's and hold no data.
    if (!fans_out && DrawsData()) ++data_owed_;
    const bool has_place = (payments != 0 || i + 1 < count) && (data == 0 || data_owed_ > kDataOwedMax);
    if (!fans_out && data_owed_ != 0 && has_place) {
      output.data_bytes = static_cast<uint8_t>(8 * (1 + random_.Below(10)));
      --data_owed_;
      ++data;
    } else {
      output.lock = DrawLock();
      ++payments;
    }
    const uint32_t script = output.data_bytes != 0 ? kDataScript : static_cast<uint32_t>(output.lock.kind);
    ++plan.totals.outputs_by_script[script];
    plan.outputs.push_back(output);
  }
  transaction.output_count = count;
  plan.totals.outputs += count;
  if (data != 0) transaction.data_seed = random_.Next();
  Divide(payable, transaction, plan);
  return payments;
}

// The last payment takes what rounding leaves.
void BlockPlanner::Divide(Amount payable, const PlannedTransaction& transaction, BlockPlan& plan) {
  const auto outputs = std::span(plan.outputs).subspan(transaction.first_output, transaction.output_count);
  shares_.clear();
  uint64_t shares_sum = 0;
  for (const PlannedOutput& output : outputs) {
    shares_.push_back(output.data_bytes != 0 ? 0 : 1 + random_.Below(kShareMax));
    shares_sum += shares_.back();
  }
  Amount left = payable;
  PlannedOutput* last = nullptr;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].data_bytes != 0) continue;
    last = &outputs[i];
    last->amount = static_cast<Amount>(static_cast<uint64_t>(payable) / shares_sum * shares_[i]);
    left -= last->amount;
  }
  HR_CHECK(last != nullptr && left >= 0);
  last->amount += left;
}

void BlockPlanner::AddCoins(uint32_t payments, PlannedTransaction& transaction, const BlockPlan& plan) {
  transaction.slot = table_.Add(height_, false, payments, transaction.wave);
  for (uint32_t i = 0; i < transaction.output_count; ++i) {
    const PlannedOutput& output = plan.outputs[transaction.first_output + i];
    if (output.data_bytes != 0) continue;
    const bool is_sequence = output.lock.kind == LockKind::kCheckSequence;
    coins_.Add({transaction.slot, static_cast<uint16_t>(i), output.lock, output.amount},
               is_sequence ? height_ + KeyRing::SequenceOf(output.lock.key) : height_);
  }
}

void BlockPlanner::Charge(const PlannedTransaction& transaction, const BlockPlan& plan, Budget& budget) const {
  budget.weight -= kTransactionWeight;
  for (uint32_t i = 0; i < transaction.input_count; ++i) {
    const LockCost cost = CostOf(plan.inputs[transaction.first_input + i].lock.kind);
    budget.weight -= cost.input_weight + kEmptyWitnessWeight;
    budget.sigops -= cost.input_sigops;
  }
  for (uint32_t i = 0; i < transaction.output_count; ++i) {
    const PlannedOutput& output = plan.outputs[transaction.first_output + i];
    const LockCost cost = CostOf(output.lock.kind);
    // Data is OP_RETURN and a push.
    budget.weight -= 4 * (9 + (output.data_bytes != 0 ? output.data_bytes + 3u : cost.output_bytes));
    budget.sigops -= output.data_bytes != 0 ? 0 : cost.output_sigops;
  }
}

void BlockPlanner::PlanTransaction(const Counts& counts, const std::optional<PooledCoin>& first, Budget& budget,
                                   BlockPlan& plan) {
  PlannedTransaction transaction;
  transaction.version = profile_.version;
  transaction.first_input = static_cast<uint32_t>(plan.inputs.size());
  transaction.first_output = static_cast<uint32_t>(plan.outputs.size());
  const Amount total = PlanInputs(counts.inputs, first, transaction, plan);
  const Amount fee = total >= 100 * kOutputAmountMin ? static_cast<Amount>(200 + random_.Below(2000)) : 0;
  const uint32_t payments = PlanOutputs(counts, total - fee, transaction, plan);
  for (uint32_t i = 0; i < transaction.input_count; ++i) {
    plan.inputs[transaction.first_input + i].hash_type = DrawHashType(i < transaction.output_count);
  }
  AddCoins(payments, transaction, plan);
  Charge(transaction, plan, budget);
  plan.fees += fee;
  plan.transactions.push_back(transaction);
  if (growth_ && !is_scarce()) growth_owed_ += int64_t{transaction.input_count} - payments;
}

void BlockPlanner::PlanTransactions(uint32_t count, BlockPlan& plan) {
  constexpr Counts kSmall = {1, 2, 0};
  Budget budget{DrawWeight(), kSigopCostMax - kCoinbaseSigops};
  if (coins_.available() >= scarce_below_) is_growing_ = false;
  if (coins_.available() < scarce_below_ / 4) is_growing_ = true;
  if (is_growing_) {
    // Most coins are left for the next block's transactions to fan out.
    count = static_cast<uint32_t>(std::min<uint64_t>(count, std::max<uint64_t>(coins_.available() / 2, 1)));
    growth_owed_ = 0;
  } else if (growth_) {
    // Where the amounts do not allow the growth, the debt must not grow for ever.
    const int64_t most = 20 * drift_tolerance();
    growth_owed_ = std::clamp(growth_owed_ + *growth_, -most, most);
  }
  for (; count != 0 && budget.Fits(kSmall); --count) {
    const std::optional<PooledCoin> first = plan.transactions.empty() ? coins_.TakeCoinbase() : std::nullopt;
    if (!first && coins_.available() == 0) break;
    Counts counts = DrawCounts();
    if (first) counts.inputs = 1;
    if (first && !profile_.forms.empty() && usual_count_ >= kPayoutCountMin) {
      counts.outputs = DrawWithin(kPayout.outputs_min, kPayout.outputs_max);
    }
    if (is_scarce()) counts.fan_out = kFanOut;
    // The end of a full block takes only small transactions.
    if (!budget.Fits(counts)) counts = kSmall;
    PlanTransaction(counts, first, budget, plan);
  }
}

void BlockPlanner::PlanCoinbase(BlockPlan& plan) {
  plan.coinbase_lock = DrawLock();
  plan.coinbase_slot = table_.Add(height_, true, 1, 0);
  const PooledCoin coin = {plan.coinbase_slot, 0, plan.coinbase_lock, SubsidyAt(height_) + plan.fees};
  if (coin.amount >= kOutputAmountMin) {
    coins_.AddCoinbase(coin, height_ + kCoinbaseMaturity);
  } else {
    coins_.Add(coin, UINT32_MAX);
  }
  ++plan.totals.outputs;
  ++plan.totals.outputs_by_script[static_cast<size_t>(plan.coinbase_lock.kind)];
  if (growth_) --growth_owed_;
  if (!plan.has_witness) return;
  ++plan.totals.outputs;
  ++plan.totals.commitments;
}

void BlockPlanner::PlanBlock(uint32_t height, BlockPlan& plan) {
  for (const uint32_t slot : plan.emptied_slots) table_.Release(slot);
  plan.Clear(height);
  height_ = height;
  coins_.AdvanceTo(height);
  if (height + shape_.tail <= shape_.blocks) PlanTransactions(DrawTransactionCount(), plan);
  PlanCoinbase(plan);
  plan.totals.blocks = 1;
  plan.totals.transactions = 1 + plan.transactions.size();
  plan.signed_transactions.resize(plan.transactions.size());
  plan.OrderByWave();
}

}  // namespace headrace::chaingen
