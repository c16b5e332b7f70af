#include "tests/rules/offence.h"

#include <algorithm>

#include "engine/script/script_builder.h"
#include "tests/rules/keys.h"

namespace headrace::testing {
namespace {

constexpr int64_t kNow_s = 2'000'000'000;

// Five CHECKMULTISIG, twenty each, where they are not run.
Bytes SigopScript() {
  ScriptBuilder script;
  script.Number(1).Number(0).Op(Opcode::kIf);
  for (int i = 0; i < 5; ++i) script.Op(Opcode::kCheckMultisig);
  return script.Op(Opcode::kEndIf).Take();
}

using OnPayment = std::function<void(MutableTransaction&, const Scene&)>;

Offence InPayment(std::string reject, uint32_t payment, uint32_t input, OnPayment change) {
  return {reject, payment, input,
          [=](Draft& draft, const Scene& scene) { change(draft.transactions[payment], scene); }};
}

Offence InDraft(std::string reject, std::function<void(Draft&)> change, uint32_t transaction = 0) {
  return {reject, transaction, 0, [=](Draft& draft, const Scene&) { change(draft); }};
}

Offence Late(Offence offence) {
  offence.is_late = true;
  return offence;
}

}  // namespace

Scene::Scene(const ChainParams& params, uint32_t base_height) : branch(Branch::OfHeight(params, base_height)) {
  std::vector<TransactionOutput> outputs(8, {kCoin, kTrueScript});
  outputs.insert(outputs.end(), 4, {kCoin, {static_cast<uint8_t>(Opcode::kNop)}});
  outputs.push_back({kCoin, ScriptBuilder().Number(16).Data(Bytes{1, 2}).Take()});
  outputs.push_back({kCoin, PayToScriptHash(SigopScript())});
  const std::vector<HeldCoin> coins = branch.Fund(outputs);
  plain.assign(coins.begin(), coins.begin() + 8);
  truthful.assign(coins.begin() + 8, coins.begin() + 12);
  open = coins[12];
  sigops = coins[13];
}

Draft Scene::Base() const {
  Draft draft = branch.NextDraft();
  draft.transactions.push_back(Spend({plain[0], plain[1]}));
  draft.transactions.push_back(Spend({plain[2], plain[3]}));
  return draft;
}

Offence HighHash() {
  return InDraft("high-hash", [](Draft& draft) { draft.misses_target = true; });
}

Offence WrongBits() {
  return InDraft("bad-diffbits", [](Draft& draft) { --draft.header.bits; });
}

Offence TimeTooOld() {
  return {"time-too-old", 0, 0, [](Draft& draft, const Scene& scene) {
            draft.header.time_s = static_cast<uint32_t>(scene.branch.median_time_past());
          }};
}

Offence TimeTooNew() {
  return InDraft("time-too-new", [](Draft& draft) { draft.header.time_s = kNow_s + 7201; });
}

Offence TimeWarp() {
  return {"time-timewarp-attack", 0, 0, [](Draft& draft, const Scene& scene) {
            draft.header.time_s = std::min(draft.header.time_s, scene.branch.tip_header().time_s - 601);
          }};
}

Offence OldVersion() {
  return InDraft("bad-version(0x00000001)", [](Draft& draft) { draft.header.version = 1; });
}

Offence Unsolved() {
  return InDraft("bad-signet-blksig", [](Draft& draft) { draft.solves_by_hand = true; });
}

Offence WrongRoot() {
  return InDraft("bad-txnmrklroot", [](Draft& draft) { draft.has_wrong_root = true; });
}

// Three transactions have the root of four, the last one twice.
Offence LastRepeated() {
  return InDraft("bad-txns-duplicate", [](Draft& draft) { draft.transactions.push_back(draft.transactions.back()); });
}

Offence TooLong() {
  return InDraft("bad-blk-length", [](Draft& draft) {
    draft.transactions.back().outputs.push_back({0, Bytes(1'000'000, kOpReturn)});
  });
}

Offence CoinbaseLast() {
  return InDraft("bad-cb-missing", [](Draft& draft) {
    std::rotate(draft.transactions.begin(), draft.transactions.begin() + 1, draft.transactions.end());
  });
}

Offence CoinbaseAgain() {
  return InDraft(
      "bad-cb-multiple", [](Draft& draft) { draft.transactions.push_back(CoinbaseAt(draft.height, 1)); }, 3);
}

Offence LegacySigops() {
  return InDraft("bad-blk-sigops", [](Draft& draft) {
    draft.coinbase().outputs.push_back({0, Bytes(20'001, static_cast<uint8_t>(Opcode::kCheckSig))});
  });
}

Offence CoinbaseTooLong() {
  return InDraft("bad-cb-length", [](Draft& draft) { draft.coinbase().inputs[0].script_sig.resize(101, 0); });
}

Offence WrongHeight() {
  return InDraft("bad-cb-height", [](Draft& draft) { draft.coinbase().inputs[0].script_sig[1] ^= 1; });
}

Offence ReservedValueShort() {
  return Late(
      InDraft("bad-witness-nonce-size", [](Draft& draft) { draft.coinbase().inputs[0].witness[0].pop_back(); }));
}

Offence CommitmentAltered() {
  return Late(
      InDraft("bad-witness-merkle-match", [](Draft& draft) { draft.coinbase().outputs.back().script[20] ^= 1; }));
}

Offence CommitmentLeftOut() {
  return Late(InDraft(
      "unexpected-witness",
      [](Draft& draft) {
        draft.coinbase().outputs.pop_back();
        draft.coinbase().inputs[0].witness.clear();
      },
      2));
}

Offence TooHeavy() {
  return InDraft("bad-blk-weight",
                 [](Draft& draft) { draft.transactions[2].inputs[0].witness = {Bytes(3'998'500, 1)}; });
}

Offence CoinbaseRepeated() {
  return {"bad-txns-BIP30", 0, 0,
          [](Draft& draft, const Scene& scene) { draft.coinbase() = scene.branch.blocks()[4]->transactions[0]; }};
}

Offence CoinbaseGreedy() {
  return InDraft("bad-cb-amount", [](Draft& draft) { draft.coinbase().outputs.push_back({500 * kCoin, kTrueScript}); });
}

// Without inputs there can be no outputs either: the encoding would take the count of zero for BIP144's marker.
Offence NoInputs(uint32_t payment) {
  return InPayment("bad-txns-vin-empty", payment, 0, [](MutableTransaction& transaction, const Scene&) {
    transaction.inputs.clear();
    transaction.outputs.clear();
  });
}

Offence NoOutputs(uint32_t payment) {
  return InPayment("bad-txns-vout-empty", payment, 0,
                   [](MutableTransaction& transaction, const Scene&) { transaction.outputs.clear(); });
}

Offence Pays(uint32_t payment, std::vector<Amount> amounts, std::string reject) {
  return InPayment(reject, payment, 0, [=](MutableTransaction& transaction, const Scene&) {
    for (size_t i = amounts.size(); i > 0; --i) {
      transaction.outputs.insert(transaction.outputs.begin(), {amounts[i - 1], kTrueScript});
    }
  });
}

Offence InputRepeated(uint32_t payment) {
  return InPayment("bad-txns-inputs-duplicate", payment, 0, [](MutableTransaction& transaction, const Scene&) {
    transaction.inputs.push_back(transaction.inputs.back());
  });
}

Offence InputNull(uint32_t payment) {
  return InPayment("bad-txns-prevout-null", payment, 1, [](MutableTransaction& transaction, const Scene&) {
    transaction.inputs[1].prevout = {Hash256(), OutPoint::kNullIndex};
  });
}

Offence NotFinal(uint32_t payment) {
  return InPayment("bad-txns-nonfinal", payment, 0, [](MutableTransaction& transaction, const Scene& scene) {
    transaction.lock_time = scene.branch.height() + 1;
    transaction.inputs[0].sequence = 0xfffffffe;
  });
}

Offence InputMissing(uint32_t payment, uint32_t input) {
  return InPayment(
      "bad-txns-inputs-missingorspent", payment, input,
      [=](MutableTransaction& transaction, const Scene&) { transaction.inputs[input].prevout.txid.bytes[3] ^= 1; });
}

Offence InputPremature(uint32_t payment, uint32_t input) {
  return InPayment("bad-txns-premature-spend-of-coinbase", payment, input,
                   [=](MutableTransaction& transaction, const Scene& scene) {
                     transaction.inputs[input].prevout = scene.branch.CoinbaseOf(60 + payment * 2 + input).outpoint;
                   });
}

Offence CreatesTooMuch(uint32_t payment) {
  return InPayment("bad-txns-in-belowout", payment, 0,
                   [](MutableTransaction& transaction, const Scene&) { transaction.outputs[0].amount = 500 * kCoin; });
}

// The coin is one block old.
Offence SequenceLocked(uint32_t payment) {
  return InPayment("bad-txns-nonfinal", payment, 0,
                   [](MutableTransaction& transaction, const Scene&) { transaction.inputs[0].sequence = 2; });
}

// What the coinbase holds is within the limit by itself.
Offence RedeemSigops(uint32_t payment) {
  return {"bad-blk-sigops", payment, 0, [=](Draft& draft, const Scene& scene) {
            draft.coinbase().outputs.push_back({0, Bytes(19'950, static_cast<uint8_t>(Opcode::kCheckSig))});
            TransactionInput& input = draft.transactions[payment].inputs[0];
            input.prevout = scene.sigops.outpoint;
            input.script_sig = ScriptBuilder().Data(SigopScript()).Take();
          }};
}

Offence ScriptFalse(uint32_t payment, uint32_t input) {
  return InPayment(
      "block-script-verify-flag-failed (Script evaluated without error but finished with a false/empty top stack "
      "element)",
      payment, input, [=](MutableTransaction& transaction, const Scene& scene) {
        transaction.inputs[input].prevout = scene.truthful[(payment - 1) * 2 + input].outpoint;
        transaction.inputs[input].script_sig = {0x00};
      });
}

}  // namespace headrace::testing
