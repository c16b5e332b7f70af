// The cost of signature operations: 80,000 a block. What a block holds by itself is counted when it is checked; what
// the coins that it spends add, when they are known. (BIP16, BIP141)
#include "engine/script/script_builder.h"
#include "tests/rules/keys.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kLegacyMax = 20'000;  // times four

// An output that is never run, with so many operations in it.
TransactionOutput Carrier(size_t count, Opcode opcode) { return {0, Bytes(count, static_cast<uint8_t>(opcode))}; }

auto InCoinbase(TransactionOutput breaking, TransactionOutput twin) {
  return [=](Branch& branch) {
    Draft bad = branch.NextDraft(), good = branch.NextDraft();
    bad.coinbase().outputs.push_back(breaking);
    good.coinbase().outputs.push_back(twin);
    return Try(branch, std::move(bad), std::move(good));
  };
}

// Operations before a push that its script has no bytes for count; those after it do not.
TransactionOutput BrokenPush(size_t before, size_t after) {
  TransactionOutput output = Carrier(before, Opcode::kCheckSig);
  output.script.push_back(0x4e);
  output.script.insert(output.script.end(), after, static_cast<uint8_t>(Opcode::kCheckSig));
  return output;
}

// A redeem or witness script that is true and holds CHECKMULTISIG behind the given script, where it is not run.
Bytes Uncalled(const Bytes& before, Opcode multisig = Opcode::kCheckMultisig) {
  return ScriptBuilder().Number(1).Number(0).Op(Opcode::kIf).Raw(before).Op(multisig).Op(Opcode::kEndIf).Take();
}

Bytes Pushed(const Bytes& script) { return ScriptBuilder().Data(script).Take(); }

// A block with `legacy` operations in its coinbase that spends `coins`, the inputs filled in by `unlock`.
MinedBlock Spending(const Branch& branch, uint32_t legacy, const std::vector<HeldCoin>& coins,
                    const std::function<void(TransactionInput&, size_t)>& unlock) {
  Draft draft = branch.NextDraft();
  draft.coinbase().outputs.push_back(Carrier(legacy, Opcode::kCheckSig));
  MutableTransaction spend = Spend(coins);
  for (size_t input = 0; input < coins.size(); ++input) unlock(spend.inputs[input], input);
  draft.transactions.push_back(spend);
  return branch.Mine(std::move(draft));
}

// The same coins spent over one legacy operation more than there is room for, and over as many as there is.
Attempt Counted(const Branch& branch, uint32_t legacy_max, const std::vector<HeldCoin>& coins,
                const std::function<void(TransactionInput&, size_t)>& unlock) {
  return {Spending(branch, legacy_max + 1, coins, unlock), Spending(branch, legacy_max, coins, unlock), 1, 0,
          "resolve"};
}

// Two coins: `counted` costs (kLegacyMax - legacy_max) * 4.
auto RedeemScript(const Bytes& redeem, uint32_t legacy_max) {
  return [=](Branch& branch) {
    const auto coins = branch.Fund({{kCoin, PayToScriptHash(redeem)}});
    return Counted(branch, legacy_max, coins,
                   [&](TransactionInput& input, size_t) { input.script_sig = Pushed(redeem); });
  };
}

// Witness operations cost one each: four of them take the place of a legacy one, and a fifth is too many.
auto WitnessScript(uint32_t operations, bool is_nested, const Bytes& script, uint32_t legacy_max) {
  return [=](Branch& branch) {
    const Bytes program = PayToWitnessScriptHash(script);
    const Bytes lock = is_nested ? PayToScriptHash(program) : program;
    const auto coins = branch.Fund(std::vector<TransactionOutput>(operations, {kCoin, lock}));
    const auto unlock = [&](TransactionInput& input, size_t) {
      input.witness = {script};
      if (is_nested) input.script_sig = Pushed(program);
    };
    const std::vector<HeldCoin> fewer(coins.begin(), coins.end() - 1);
    return Attempt{Spending(branch, legacy_max, coins, unlock), Spending(branch, legacy_max, fewer, unlock), 1, 0,
                   "resolve"};
  };
}

Attempt SignedKeyHashes(Branch& branch) {
  const KeyPair key = TestKey(3);
  const auto coins = branch.Fund(std::vector<TransactionOutput>(5, {kCoin, PayToWitnessKeyHash(key)}));
  const auto spending = [&](const std::vector<HeldCoin>& spent) {
    Draft draft = branch.NextDraft();
    draft.coinbase().outputs.push_back(Carrier(kLegacyMax - 1, Opcode::kCheckSig));
    MutableTransaction spend = Spend(spent);
    for (uint32_t input = 0; input < spent.size(); ++input) SignWitnessKeyHash(spend, spent, input, key);
    draft.transactions.push_back(spend);
    return branch.Mine(std::move(draft));
  };
  return {spending(coins), spending({coins.begin(), coins.end() - 1}), 1, 0, "resolve"};
}

// The second of two transactions is the one that is too much.
Attempt SecondTransaction(Branch& branch) {
  const Bytes redeem = Uncalled(ScriptBuilder().Number(2).Take());
  const auto coins = branch.Fund({{kCoin, PayToScriptHash(redeem)}, {kCoin, PayToScriptHash(redeem)}});
  const auto block = [&](uint32_t legacy) {
    Draft draft = branch.NextDraft();
    draft.coinbase().outputs.push_back(Carrier(legacy, Opcode::kCheckSig));
    for (const HeldCoin& coin : coins) {
      MutableTransaction spend = Spend({coin});
      spend.inputs[0].script_sig = Pushed(redeem);
      draft.transactions.push_back(spend);
    }
    return branch.Mine(std::move(draft));
  };
  return {block(kLegacyMax - 3), block(kLegacyMax - 4), 2, 0, "resolve"};
}

std::vector<RuleCase> LegacyCases() {
  const auto sigops = [](std::string name, std::string breaking, std::string twin,
                         std::function<Attempt(Branch&)> build) {
    return RuleCase{Rule::kSigopsTooMany, name, breaking, twin, "bad-blk-sigops", build};
  };
  return {
      sigops("SigopsInOutput", "20,001 CHECKSIG in an output of the coinbase", "20,000",
             InCoinbase(Carrier(kLegacyMax + 1, Opcode::kCheckSig), Carrier(kLegacyMax, Opcode::kCheckSig))),
      sigops(
          "SigopsVerify", "20,001 CHECKSIGVERIFY", "20,000",
          InCoinbase(Carrier(kLegacyMax + 1, Opcode::kCheckSigVerify), Carrier(kLegacyMax, Opcode::kCheckSigVerify))),
      sigops("SigopsMultisig", "1,001 CHECKMULTISIG, twenty each", "1,000",
             InCoinbase(Carrier(1001, Opcode::kCheckMultisig), Carrier(1000, Opcode::kCheckMultisig))),
      sigops("SigopsMultisigOfOne", "1,001 CHECKMULTISIGVERIFY behind OP_1, which outputs count as twenty all the same",
             "20,000 CHECKSIGADD, which is none (BIP342)",
             [](Branch& branch) {
               TransactionOutput pairs;
               for (int i = 0; i < 1001; ++i) pairs.script.insert(pairs.script.end(), {0x51, 0xaf});
               return InCoinbase(pairs, Carrier(kLegacyMax, Opcode::kCheckSigAdd))(branch);
             }),
      sigops("SigopsBeforeBrokenPush", "20,001 CHECKSIG before a push of nothing", "20,000 before it and 100 behind it",
             InCoinbase(BrokenPush(kLegacyMax + 1, 0), BrokenPush(kLegacyMax, 100))),
      sigops("SigopsInScriptSig", "20,000 in the coinbase, one in a script that spends",
             "none in the script that spends",
             [](Branch& branch) {
               const HeldCoin coin = branch.TakeCoin();
               const auto nothing = [](TransactionInput&, size_t) {};
               // Not run: the branch of OP_IF that is not taken.
               const auto one = [](TransactionInput& input, size_t) { input.script_sig = {0x00, 0x63, 0xac, 0x68}; };
               return Attempt{Spending(branch, kLegacyMax, {coin}, one), Spending(branch, kLegacyMax, {coin}, nothing)};
             }),
  };
}

}  // namespace

std::vector<RuleCase> SigopCases() {
  std::vector<RuleCase> all = LegacyCases();
  const auto sigops = [&](std::string name, std::string breaking, std::string twin,
                          std::function<Attempt(Branch&)> build) {
    all.push_back({Rule::kSigopsTooMany, name, breaking, twin, "bad-blk-sigops", build});
  };
  sigops("SigopsRedeem3", "a redeem script's CHECKMULTISIG behind OP_3 and 19,998 CHECKSIG", "19,997",
         RedeemScript(Uncalled(ScriptBuilder().Number(3).Take()), kLegacyMax - 3));
  sigops("SigopsRedeem16", "a redeem script's CHECKMULTISIGVERIFY behind OP_16 and 19,985 CHECKSIG", "19,984",
         RedeemScript(Uncalled(ScriptBuilder().Number(16).Take(), Opcode::kCheckMultisigVerify), kLegacyMax - 16));
  sigops("SigopsRedeem17",
         "a redeem script's CHECKMULTISIG behind a push of 17, counted as twenty, and 19,981 CHECKSIG", "19,980",
         RedeemScript(Uncalled(ScriptBuilder().Number(17).Take()), kLegacyMax - 20));
  sigops("SigopsRedeem0", "a redeem script's CHECKMULTISIG behind OP_0, counted as twenty, and 19,981 CHECKSIG",
         "19,980", RedeemScript(Uncalled(ScriptBuilder().Number(0).Take()), kLegacyMax - 20));
  sigops("SigopsKeyHashes", "five signed spends of witness key hashes over 19,999 CHECKSIG", "four", SignedKeyHashes);
  const Bytes one = ScriptBuilder().Number(1).Number(0).Op(Opcode::kIf).Op(Opcode::kCheckSig).Op(Opcode::kEndIf).Take();
  sigops("SigopsWitnessScript", "five CHECKSIG in witness scripts over 19,999", "four",
         WitnessScript(5, false, one, kLegacyMax - 1));
  sigops("SigopsNestedWitness", "five CHECKSIG in witness scripts inside P2SH over 19,999", "four",
         WitnessScript(5, true, one, kLegacyMax - 1));
  sigops("SigopsWitnessMultisig", "three CHECKMULTISIG behind OP_2 in witness scripts over 19,999 CHECKSIG", "two",
         WitnessScript(3, false, Uncalled(ScriptBuilder().Number(2).Take()), kLegacyMax - 1));
  sigops("SigopsSecondTransaction", "two redeem scripts with two each over 19,997 CHECKSIG", "19,996",
         SecondTransaction);
  return all;
}

}  // namespace headrace::testing
