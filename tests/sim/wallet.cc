#include "tests/sim/wallet.h"

#include "engine/base/check.h"
#include "tools/chaingen/sighash.h"
#include "tools/chaingen/unlock.h"

namespace headrace::sim {
namespace {

constexpr uint32_t kKeys = 4;

// Time locks are left out: whether they hold depends on the block, and the wallet does not know it.
constexpr chaingen::LockKind kKinds[] = {chaingen::LockKind::kP2pk,       chaingen::LockKind::kP2pkh,
                                         chaingen::LockKind::kP2shP2wpkh, chaingen::LockKind::kP2wpkh,
                                         chaingen::LockKind::kP2wpkh,     chaingen::LockKind::kP2wshMultisig2of3,
                                         chaingen::LockKind::kP2trKey,    chaingen::LockKind::kP2trKey,
                                         chaingen::LockKind::kP2trScript, chaingen::LockKind::kMultisig1of2};

}  // namespace

Wallet::Wallet() : keys_(1, kKeys, 1) {
  for (const chaingen::LockKind kind : kKinds) {
    for (uint32_t key = 0; key < kKeys; ++key) {
      const chaingen::Lock lock{kind, key};
      locks_.emplace(keys_.ScriptPubkey(lock), lock);
      scripts_.push_back(keys_.ScriptPubkey(lock));
    }
  }
}

std::vector<uint8_t> Wallet::DrawScript(SimEntropy& entropy) const {
  if (entropy.Below(5) < 3) return kAnyoneScript;
  return scripts_[entropy.Below(scripts_.size())];
}

MutableTransaction Wallet::Spend(const std::vector<OwnedOutput>& inputs, uint32_t outputs_count, Amount fee,
                                 SimEntropy& entropy) const {
  MutableTransaction transaction;
  Amount sum = -fee;
  for (const OwnedOutput& input : inputs) {
    transaction.inputs.push_back({input.outpoint, {}, 0xffffffff, {}});
    sum += input.output.amount;
  }
  HR_CHECK(sum >= 0 && outputs_count > 0);
  for (uint32_t o = 0; o < outputs_count; ++o) {
    const Amount share =
        o + 1 == outputs_count ? sum : static_cast<Amount>(entropy.Below(static_cast<uint64_t>(sum) + 1) / 2);
    sum -= share;
    transaction.outputs.push_back({share, DrawScript(entropy)});
  }
  // Data, which is no coin, and an output that nobody can ever spend, which is one.
  if (entropy.OneIn(16)) transaction.outputs.push_back({0, {0x6a, 0x02, 0x68, 0x72}});
  if (entropy.OneIn(32)) transaction.outputs.push_back({0, {0x00}});
  Sign(inputs, transaction);
  return transaction;
}

void Wallet::Sign(const std::vector<OwnedOutput>& inputs, MutableTransaction& transaction) const {
  std::vector<TransactionOutput> spent;
  for (const OwnedOutput& input : inputs) spent.push_back(input.output);
  for (uint32_t i = 0; i < inputs.size(); ++i) {
    const auto lock = locks_.find(inputs[i].output.script);
    if (lock == locks_.end()) continue;
    chaingen::Unlock(keys_, lock->second, chaingen::kSighashAll, spent, i, transaction);
  }
}

}  // namespace headrace::sim
