// Witness programs: version 0 (BIP141, BIP143) and taproot (BIP341, BIP342). Every twin is really signed. Where these
// rules do not hold, in a block that the parameters except, the same spend is part of the chain.
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

auto SpendOf(Bytes bad_lock, Unlock bad, Bytes good_lock, Unlock good) {
  return [=](Branch& branch) {
    const auto coins = branch.Fund({{kCoin, bad_lock}, {kCoin, good_lock}});
    return TryTransactions(branch, {Unlocked(coins[0], bad)}, {Unlocked(coins[1], good)});
  };
}

auto SpendOf(Bytes lock, Unlock bad, Unlock good) {
  return [=](Branch& branch) {
    const HeldCoin coin = branch.Fund({{kCoin, lock}})[0];
    return TryTransactions(branch, {Unlocked(coin, bad)}, {Unlocked(coin, good)});
  };
}

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

Unlock Witness(std::vector<Bytes> items, Bytes script_sig = {}) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
    transaction.inputs[0].witness = items;
    transaction.inputs[0].script_sig = script_sig;
  };
}

Unlock SignedKeyHash(uint8_t key, Bytes script_sig = {}) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
    SignWitnessKeyHash(transaction, coins, 0, TestKey(key));
    transaction.inputs[0].script_sig = script_sig;
  };
}

// BIP143 signs the amount: one satoshi off, and the signature is of something else.
void SignForAnotherAmount(MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
  std::vector<HeldCoin> altered = coins;
  ++altered[0].output.amount;
  SignWitnessKeyHash(transaction, altered, 0, TestKey(1));
}

std::vector<RuleCase> VersionZeroCases() {
  const Bytes key_hash = PayToWitnessKeyHash(TestKey(1));
  const Bytes one = {0x51}, zero = {0x00};
  const Bytes nested = PayToWitnessScriptHash(one);
  const Bytes nested_push = ScriptBuilder().Data(nested).Take();
  const auto script = [](std::string name, std::string breaking, std::string twin, std::string reject,
                         std::function<Attempt(Branch&)> build) {
    return RuleCase{Rule::kScript, name, breaking, twin, reject, build};
  };
  const std::string by_key = "the key's signature";
  Bytes two_left = ScriptBuilder().Number(1).Number(1).Take();
  return {
      script(
          "KeyHashSignedForAnotherAmount",
          "a witness key hash, signed for another amount (the same is part of the chain, in a block that is excepted)",
          by_key, kFalse, AfterException(key_hash, kVerifyNone, SignForAnotherAmount, SignedKeyHash(1))),
      script("KeyHashOfAnotherKey", "a witness key hash with another key and its signature", by_key,
             Failing("Script failed an OP_EQUALVERIFY operation"),
             SpendOf(key_hash, SignedKeyHash(2), SignedKeyHash(1))),
      script("KeyHashWithScriptSig", "a signed witness key hash and a push in the script", "no script",
             Failing("Witness requires empty scriptSig"),
             SpendOf(key_hash, SignedKeyHash(1, {0x51}), SignedKeyHash(1))),
      script("KeyHashWithoutWitness", "a witness key hash without a witness", by_key,
             Failing("Witness program hash mismatch"), SpendOf(key_hash, Witness({}), SignedKeyHash(1))),
      script("ScriptHashWithoutWitness", "a witness script hash without a witness", "its script",
             Failing("Witness program was passed an empty witness"), SpendOf(nested, Witness({}), Witness({one}))),
      script("ScriptHashOfAnotherScript", "a witness script hash with another script", "its script",
             Failing("Witness program hash mismatch"), SpendOf(nested, Witness({{0x52}}), Witness({one}))),
      script("WitnessScriptFalse", "a witness script that is false", "one that is true", kFalse,
             SpendOf(PayToWitnessScriptHash(zero), Witness({zero}), nested, Witness({one}))),
      script("WitnessLeavesTwo", "a witness script that leaves two elements", "one element",
             Failing("Stack size must be exactly one after execution"),
             SpendOf(PayToWitnessScriptHash(two_left), Witness({two_left}), nested, Witness({one}))),
      script("NestedWithMore", "a nested program behind another push", "the program alone",
             Failing("Witness requires only-redeemscript scriptSig"),
             SpendOf(PayToScriptHash(nested), Witness({one}, ScriptBuilder().Number(1).Data(nested).Take()),
                     Witness({one}, nested_push))),
      script("WitnessOfOrdinaryOutput", "a witness for an output that takes none", "none",
             Failing("Witness provided for non-witness script"), SpendOf(kTrueScript, Witness({one}), Witness({}))),
      script("ProgramOfOddLength", "a version 0 program of 21 bytes", "a version 2 program of 21 bytes, free for all",
             Failing("Witness program has incorrect length"),
             SpendOf(ScriptBuilder().Number(0).Data(Bytes(21, 1)).Take(), Witness({one}),
                     ScriptBuilder().Number(2).Data(Bytes(21, 1)).Take(), Witness({one}))),
      script("WitnessItemTooLong", "an item of 521 bytes for a witness script", "of 520 bytes",
             Failing("Push value size limit exceeded"),
             [](Branch& branch) {
               const Bytes drop = {0x75, 0x51};
               const HeldCoin coin = branch.Fund({{kCoin, PayToWitnessScriptHash(drop)}})[0];
               return TryTransactions(branch, {Unlocked(coin, Witness({Bytes(521, 1), drop}))},
                                      {Unlocked(coin, Witness({Bytes(520, 1), drop}))});
             }),
  };
}

// By the key path. The signature is of `signed_by`, altered by `change`.
Unlock KeyPath(SecretKey signed_by, std::function<void(Bytes&)> change = {}, uint8_t type = kSighashDefault) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
    Bytes signature = SchnorrSignature(signed_by, TaprootDigest(transaction, 0, coins, {}, type));
    if (type != kSighashDefault) signature.push_back(type);
    if (change) change(signature);
    transaction.inputs[0].witness = {signature};
  };
}

// By the script path: what the leaf takes, then the leaf and its control block.
Unlock LeafPath(const TaprootLock& lock, std::vector<Bytes> items, std::function<void(Bytes&)> change_control = {}) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>&) {
    Bytes control = lock.control_block;
    if (change_control) change_control(control);
    std::vector<Bytes> witness = items;
    witness.insert(witness.end(), {lock.leaf, control});
    transaction.inputs[0].witness = witness;
  };
}

Unlock SignedLeaf(const TaprootLock& lock, SecretKey key) {
  return [=](MutableTransaction& transaction, const std::vector<HeldCoin>& coins) {
    const Bytes signature = SchnorrSignature(key, TaprootDigest(transaction, 0, coins, lock.leaf, kSighashDefault));
    transaction.inputs[0].witness = {signature, lock.leaf, lock.control_block};
  };
}

// Key and CHECKSIG, `count` times over one signature.
Bytes CheckedTimes(const XOnlyKey& key, int count) {
  ScriptBuilder script;
  script.Data(key);
  for (int i = 1; i < count; ++i) script.Op(Opcode::k2Dup).Op(Opcode::kCheckSigVerify);
  return script.Op(Opcode::kCheckSig).Take();
}

std::vector<RuleCase> KeyPathCases() {
  const TaprootLock lock = PayToTaproot(TestKey(1), {0x51});
  const auto key_path = [&](std::string name, std::string breaking, std::string twin, std::string reject, Unlock bad,
                            Unlock good) {
    return RuleCase{Rule::kScript, name, breaking, twin, Failing(reject), SpendOf(lock.script, bad, good)};
  };
  const Unlock good = KeyPath(lock.secret);
  const std::string by_key = "the output key's signature";
  return {
      {Rule::kScript, "TaprootSignatureOfAnotherKey",
       "taproot, signed by the internal key (the same is part of the chain, in a block that is excepted)", by_key,
       Failing("Invalid Schnorr signature"),
       AfterException(lock.script, kVerifyP2sh | kVerifyWitness, KeyPath(TestKey(1).secret), good)},
      key_path("TaprootSignatureAltered", "a bit of the signature altered", by_key, "Invalid Schnorr signature",
               KeyPath(lock.secret, [](Bytes& signature) { signature[63] ^= 1; }), good),
      key_path("TaprootSignatureSize", "a signature of 63 bytes", by_key, "Invalid Schnorr signature size",
               KeyPath(lock.secret, [](Bytes& signature) { signature.pop_back(); }), good),
      key_path("TaprootTypeByteZero", "a byte that says the type is the default", "a byte that says SIGHASH_ALL",
               "Invalid Schnorr signature hash type",
               KeyPath(lock.secret, [](Bytes& signature) { signature.push_back(0); }),
               KeyPath(lock.secret, {}, kSighashAll)),
      key_path("TaprootTypeUndefined", "the undefined type 4", "SIGHASH_SINGLE", "Invalid Schnorr signature hash type",
               KeyPath(lock.secret, [](Bytes& signature) { signature.push_back(4); }),
               KeyPath(lock.secret, {}, kSighashSingle)),
      key_path("TaprootWithoutWitness", "taproot without a witness", by_key,
               "Witness program was passed an empty witness", Witness({}), good),
  };
}

std::vector<RuleCase> LeafCases() {
  const KeyPair key = TestKey(4);
  const XOnlyKey x_only = XOnlyKeyOf(key.secret);
  const auto lock_of = [](const Bytes& leaf) { return PayToTaproot(TestKey(1), leaf); };
  const TaprootLock truth = lock_of({0x51}), signed_leaf = lock_of(CheckedTimes(x_only, 1));
  const auto leaf_case = [](std::string name, std::string breaking, std::string twin, std::string reject,
                            const TaprootLock& bad_lock, Unlock bad, const TaprootLock& good_lock, Unlock good) {
    return RuleCase{Rule::kScript, name, breaking, twin, reject, SpendOf(bad_lock.script, bad, good_lock.script, good)};
  };
  const TaprootLock multisig = lock_of({0x00, 0x63, 0xae, 0x68, 0x51}),
                    multisig_run = lock_of({0x00, 0x00, 0x00, 0xae});
  const TaprootLock minimal_if = lock_of({0x63, 0x51, 0x67, 0x51, 0x68});
  const TaprootLock no_key = lock_of({0x00, 0xac}), falsehood = lock_of({0x00}), success = lock_of({0x00, 0xba, 0xfe});
  const TaprootLock four_checks = lock_of(CheckedTimes(x_only, 4)), three_checks = lock_of(CheckedTimes(x_only, 3));
  const Unlock good = LeafPath(truth, {});
  return {
      leaf_case("ControlBlockSize", "a control block of 34 bytes", "of 33 bytes",
                Failing("Invalid Taproot control block size"), truth,
                LeafPath(truth, {}, [](Bytes& control) { control.push_back(0); }), truth, good),
      leaf_case("ControlBlockParity", "the other parity in the control block", "the output's",
                Failing("Witness program hash mismatch"), truth,
                LeafPath(truth, {}, [](Bytes& control) { control[0] ^= 1; }), truth, good),
      leaf_case("ControlBlockPath", "a path to a leaf that is the whole tree", "no path",
                Failing("Witness program hash mismatch"), truth,
                LeafPath(truth, {}, [](Bytes& control) { control.resize(65, 3); }), truth, good),
      leaf_case("LeafFalse", "a leaf that is false", "a leaf that holds an opcode for later, which succeeds", kFalse,
                falsehood, LeafPath(falsehood, {}), success, LeafPath(success, {})),
      leaf_case("LeafSignature", "a leaf's signature by the wrong key", "by its key",
                Failing("Invalid Schnorr signature"), signed_leaf, SignedLeaf(signed_leaf, TestKey(5).secret),
                signed_leaf, SignedLeaf(signed_leaf, key.secret)),
      leaf_case("LeafMultisig", "CHECKMULTISIG run in a leaf", "not run",
                Failing("OP_CHECKMULTISIG(VERIFY) is not available in tapscript"), multisig_run,
                LeafPath(multisig_run, {}), multisig, LeafPath(multisig, {})),
      leaf_case("LeafIfNotMinimal", "OP_IF on the number 2", "on the number 1",
                Failing("OP_IF/NOTIF argument must be minimal in tapscript"), minimal_if, LeafPath(minimal_if, {{2}}),
                minimal_if, LeafPath(minimal_if, {{1}})),
      leaf_case("LeafEmptyKey", "CHECKSIG with an empty key", "with a key and its signature",
                Failing("Empty public key in tapscript"), no_key, LeafPath(no_key, {{}}), signed_leaf,
                SignedLeaf(signed_leaf, key.secret)),
      leaf_case("LeafSignatureBudget", "four signature checks in a witness with weight for three", "three",
                Failing("Too much signature validation relative to witness weight"), four_checks,
                SignedLeaf(four_checks, key.secret), three_checks, SignedLeaf(three_checks, key.secret)),
      leaf_case("LeafLeavesTwo", "a leaf beside an element that it leaves", "no element beside",
                Failing("Stack size must be exactly one after execution"), truth, LeafPath(truth, {{1}}), truth, good),
  };
}

}  // namespace

std::vector<RuleCase> TaprootCases() {
  std::vector<RuleCase> all = VersionZeroCases();
  for (std::vector<RuleCase> more : {KeyPathCases(), LeafCases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace headrace::testing
