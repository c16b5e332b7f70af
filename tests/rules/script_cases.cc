// Scripts: a spend of every era that fails, and one that is really signed. Rules that came at a height are broken once
// just below it, in a block that must connect, and again at it.
#include "engine/script/script_builder.h"
#include "tests/rules/keys.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

using Unlock = std::function<void(MutableTransaction&, const std::vector<HeldCoin>&)>;

std::string Failing(const std::string& sentence) { return "block-script-verify-flag-failed (" + sentence + ")"; }

const std::string kFalse = Failing("Script evaluated without error but finished with a false/empty top stack element");

MutableTransaction Unlocked(const HeldCoin& coin, const Unlock& unlock) {
  MutableTransaction transaction = Spend({coin});
  unlock(transaction, {coin});
  return transaction;
}

// One coin, spent badly and well.
auto SpendOf(Bytes lock, Unlock bad, Unlock good) {
  return [=](Branch& branch) {
    const HeldCoin coin = branch.Fund({{kCoin, lock}})[0];
    return TryTransactions(branch, {Unlocked(coin, bad)}, {Unlocked(coin, good)});
  };
}

// Heights at which the rules of scripts come that have one: all after the coins are made, each with its own.
constexpr uint32_t kActivation = 113;

ChainParams From(uint32_t ChainParams::*height) {
  ChainParams params = ParamsFor(ChainId::kRegtest);
  params.*height = kActivation;
  return params;
}

const ChainParams& LateDerSignatures() {
  static const ChainParams params = From(&ChainParams::bip66_height);
  return params;
}
const ChainParams& LateLockTime() {
  static const ChainParams params = From(&ChainParams::bip65_height);
  return params;
}
const ChainParams& LateSequence() {
  static const ChainParams params = From(&ChainParams::csv_height);
  return params;
}
const ChainParams& LateNullDummy() {
  static const ChainParams params = From(&ChainParams::segwit_height);
  return params;
}

// Two coins with one lock: the first spent badly one below the activation, the second badly and well at it.
auto AtActivation(Bytes lock, Unlock bad, Unlock good) {
  return [=](Branch& branch) {
    const auto coins = branch.Fund({{kCoin, lock}, {kCoin, lock}});
    branch.Add({Unlocked(coins[0], bad)});
    HR_CHECK(branch.height() + 1 == kActivation);
    return TryTransactions(branch, {Unlocked(coins[1], bad)}, {Unlocked(coins[1], good)});
  };
}

// For rules that hold at every height but for blocks that the parameters name: the block below is one of these.
auto AfterException(Bytes lock, ScriptFlags flags, Unlock bad, Unlock good) {
  return [=](Branch& branch) {
    const auto coins = branch.Fund({{kCoin, lock}, {kCoin, lock}});
    branch.Add({Unlocked(coins[0], bad)});
    ChainParams params = branch.params();
    params.script_flag_exceptions = {{branch.tip_hash(), flags}};
    Attempt attempt = TryTransactions(branch, {Unlocked(coins[1], bad)}, {Unlocked(coins[1], good)});
    attempt.params = std::make_shared<const ChainParams>(params);
    return attempt;
  };
}

void SignWith(MutableTransaction& transaction, const std::vector<HeldCoin>& coins, uint8_t key) {
  SignPubkey(transaction, coins[0], TestKey(key));
}

Unlock SignedBy(uint8_t key) {
  return
      [key](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) { SignWith(transaction, coins, key); };
}

Unlock ScriptSig(Bytes script) {
  return [script](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
    transaction.inputs[0].script_sig = script;
  };
}

// A zero byte in front of the signature's first number: the same number, not in its shortest form.
void PadSignature(MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
  Bytes signature =
      EcdsaSignature(TestKey(1), LegacyDigest(transaction, 0, coins[0].output.script, kSighashAll), kSighashAll);
  signature.insert(signature.begin() + 4, 0);
  ++signature[1];
  ++signature[3];
  transaction.inputs[0].script_sig = ScriptBuilder().Data(signature).Take();
}

// 2 of 3 by the first and the last key; `dropped` is what CHECKMULTISIG takes beyond that.
Unlock TwoOfThree(Opcode dropped, std::vector<uint8_t> keys) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
    const Digest256 digest = LegacyDigest(transaction, 0, coins[0].output.script, kSighashAll);
    ScriptBuilder script;
    script.Op(dropped);
    for (const uint8_t key : keys) script.Data(EcdsaSignature(TestKey(key), digest, kSighashAll));
    transaction.inputs[0].script_sig = script.Take();
  };
}

std::vector<RuleCase> LegacyCases() {
  const Bytes lock = PayToPubkey(TestKey(1));
  const auto script = [](std::string name, std::string breaking, std::string twin, std::string reject,
                         std::function<Attempt(Branch&)> build) {
    return RuleCase{Rule::kScript, name, breaking, twin, reject, build};
  };
  const std::string signed_well = "the key's signature";
  const auto after_signing = [](std::function<void(MutableTransaction&)> change) {
    return [change](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
      SignWith(transaction, coins, 1);
      change(transaction);
    };
  };
  return {
      script("FalseScript", "an input whose script leaves zero", "one", kFalse,
             SpendOf({0x61}, ScriptSig({0x00}), ScriptSig({0x51}))),
      script("SignatureOfAnotherKey", "another key's signature", signed_well, kFalse,
             SpendOf(lock, SignedBy(2), SignedBy(1))),
      script("OutputAlteredAfterSigning", "an output changed after signing", signed_well, kFalse,
             SpendOf(lock, after_signing([](MutableTransaction& spend) { --spend.outputs[0].amount; }), SignedBy(1))),
      script("NoSignature", "nothing for CHECKSIG to take", signed_well,
             Failing("Operation not valid with the current stack size"), SpendOf(lock, ScriptSig({}), SignedBy(1))),
      script("ReturnInScript", "OP_RETURN run in the second place of an output", "the branch without it",
             Failing("OP_RETURN was encountered"),
             SpendOf({0x63, 0x6a, 0x68, 0x51}, ScriptSig({0x51}), ScriptSig({0x00}))),
      script("DisabledOpcode", "OP_CAT, not even run", "OP_NOP in its place",
             Failing("Attempted to use a disabled opcode"),
             [](Branch& branch) {
               const auto coins =
                   branch.Fund({{kCoin, {0x00, 0x63, 0x7e, 0x68, 0x51}}, {kCoin, {0x00, 0x63, 0x61, 0x68, 0x51}}});
               return TryTransactions(branch, {Spend({coins[0]})}, {Spend({coins[1]})});
             }),
      script("OperationLimit", "202 operations", "201", Failing("Operation limit exceeded"),
             [](Branch& branch) {
               const auto nops = [](size_t count) {
                 Bytes nop_script(count, 0x61);
                 nop_script.push_back(0x51);
                 return nop_script;
               };
               const auto coins = branch.Fund({{kCoin, nops(202)}, {kCoin, nops(201)}});
               return TryTransactions(branch, {Spend({coins[0]})}, {Spend({coins[1]})});
             }),
      script("MultisigOutOfOrder", "2 of 3 signatures in the wrong order", "in the order of the keys", kFalse,
             SpendOf(Multisig(2, 3), TwoOfThree(Opcode::k0, {3, 1}), TwoOfThree(Opcode::k0, {1, 3}))),
      script("SecondInputOfSecondPayment", "the second input of the second payment fails", "all pass", kFalse,
             [](Branch& branch) {
               const auto coins = branch.Fund({{kCoin, kTrueScript}, {kCoin, kTrueScript}, {kCoin, {0x61}}});
               MutableTransaction first = Spend({coins[0]}), good = Spend({coins[1], coins[2]});
               good.inputs[1].script_sig = {0x51};
               MutableTransaction bad = good;
               bad.inputs[1].script_sig = {0x00};
               return TryTransactions(branch, {first, bad}, {first, good}, 2, 1);
             }),
  };
}

Unlock LockTime(uint32_t lock_time, uint32_t sequence = 0xfffffffe) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
    transaction.lock_time = lock_time;
    transaction.inputs[0].sequence = sequence;
  };
}

Unlock Sequence(uint32_t sequence, int32_t version = 2) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
    transaction.version = version;
    transaction.inputs[0].sequence = sequence;
  };
}

// The number stays on the stack and is what makes the script true.
Bytes Checking(int64_t number, Opcode opcode) { return ScriptBuilder().Number(number).Op(opcode).Take(); }

std::vector<RuleCase> SoftForkCases() {
  const auto at = [](const ChainParams& (*params)(), std::string name, std::string breaking, std::string twin,
                     std::string reject, std::function<Attempt(Branch&)> build) {
    return RuleCase{.rule = Rule::kScript,
                    .name = name,
                    .breaking = breaking + " (the same one below the height is part of the chain)",
                    .twin = twin,
                    .reject = reject,
                    .build = build,
                    .params = params};
  };
  const Bytes cltv = Checking(50, Opcode::kCheckLockTimeVerify), csv = Checking(2, Opcode::kCheckSequenceVerify);
  const std::string unsatisfied = Failing("Locktime requirement not satisfied");
  std::vector<RuleCase> all = {
      at(LateDerSignatures, "SignatureNotDer", "at BIP66's height, a signature that is no strict DER", "strict DER",
         Failing("Non-canonical DER signature"), AtActivation(PayToPubkey(TestKey(1)), PadSignature, SignedBy(1))),
      at(LateLockTime, "LockTimeTooEarly", "at BIP65's height, a lock time of 49 where the script wants 50", "of 50",
         unsatisfied, AtActivation(cltv, LockTime(49), LockTime(50))),
      at(LateLockTime, "LockTimeOfFinalInput", "at BIP65's height, an input whose sequence switches lock times off",
         "one that does not", unsatisfied, AtActivation(cltv, LockTime(50, 0xffffffff), LockTime(50))),
      at(LateLockTime, "LockTimeNegative", "at BIP65's height, a script that wants minus one", "zero",
         Failing("Negative locktime"),
         AtActivation(
             {static_cast<uint8_t>(Opcode::kCheckLockTimeVerify)},
             [](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
               transaction.inputs[0] = {transaction.inputs[0].prevout, {0x51, 0x4f}, 0, {}};
             },
             [](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
               transaction.inputs[0] = {transaction.inputs[0].prevout, {0x51, 0x51}, 0, {}};
               transaction.lock_time = 1;
             })),
      at(LateSequence, "SequenceTooEarly", "at BIP112's height, a sequence of 1 where the script wants 2", "of 2",
         unsatisfied, AtActivation(csv, Sequence(1), Sequence(2))),
      at(LateSequence, "SequenceOfVersionOne", "at BIP112's height, version 1", "version 2", unsatisfied,
         AtActivation(csv, Sequence(2, 1), Sequence(2))),
      at(LateNullDummy, "DummyNotNull", "at BIP147's height, OP_1 for CHECKMULTISIG to drop", "OP_0",
         Failing("Dummy CHECKMULTISIG argument must be zero"),
         AtActivation(Multisig(2, 3), TwoOfThree(Opcode::k1, {1, 3}), TwoOfThree(Opcode::k0, {1, 3}))),
  };
  const std::string excepted = " (the same is part of the chain, in a block that is excepted)";
  all.push_back({Rule::kScript, "RedeemScriptFalse",
                 "a redeem script that leaves what it was given: zero (BIP16)" + excepted, "one", kFalse,
                 AfterException(PayToScriptHash({0x61}), kVerifyNone,
                                ScriptSig(ScriptBuilder().Number(0).Data(Bytes{0x61}).Take()),
                                ScriptSig(ScriptBuilder().Number(1).Data(Bytes{0x61}).Take()))});
  all.push_back({Rule::kScript, "RedeemScriptBehindOpcode",
                 "a redeem script behind an opcode that is no push (BIP16)" + excepted, "pushes alone",
                 Failing("Only push operators allowed in signatures"),
                 AfterException(PayToScriptHash({0x51}), kVerifyNone,
                                ScriptSig(ScriptBuilder().Op(Opcode::kNop).Data(Bytes{0x51}).Take()),
                                ScriptSig(ScriptBuilder().Data(Bytes{0x51}).Take()))});
  return all;
}

}  // namespace

std::vector<RuleCase> ScriptCases() {
  std::vector<RuleCase> all = LegacyCases();
  std::vector<RuleCase> more = SoftForkCases();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace headrace::testing
