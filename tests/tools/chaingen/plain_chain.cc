#include "tests/tools/chaingen/plain_chain.h"

#include <algorithm>
#include <optional>

#include "engine/base/endian.h"
#include "engine/crypto/signature.h"
#include "engine/crypto/small_hashes.h"
#include "tools/chaingen/script_builder.h"
#include "tools/chaingen/sighash.h"

namespace headrace::testing {
namespace {

using chaingen::ScriptBuilder;

bool Same(ByteSpan a, ByteSpan b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

// The elements of a script of pushes and small numbers; nothing where something else stands in it.
std::optional<std::vector<Bytes>> Pushes(ByteSpan script) {
  std::vector<Bytes> items;
  size_t at = 0;
  while (at < script.size()) {
    size_t size = script[at++];
    if (size >= chaingen::kOp1 && size <= chaingen::kOp1 + 15) {
      items.push_back({static_cast<uint8_t>(size - chaingen::kOp1 + 1)});
      continue;
    }
    if (size == chaingen::kOpPushData1 && at < script.size()) {
      size = script[at++];
    } else if (size == chaingen::kOpPushData2 && at + 1 < script.size()) {
      size = LoadLittle16(&script[at]);
      at += 2;
    } else if (size >= chaingen::kOpPushData1) {
      return std::nullopt;
    }
    if (size > script.size() - at) return std::nullopt;
    items.emplace_back(script.begin() + at, script.begin() + at + size);
    at += size;
  }
  return items;
}

struct Checker {
  const MutableTransaction& transaction;
  uint32_t input;
  const std::vector<TransactionOutput>& spent;
  uint64_t& verified;

  bool Ecdsa(const Bytes& key, const Bytes& signature, const Bytes& script_code, bool is_witness) {
    if (signature.empty()) return false;
    const uint8_t type = signature.back();
    const Digest256 hash =
        is_witness ? chaingen::WitnessV0Sighash(transaction, input, script_code, spent[input].amount, type)
                   : chaingen::LegacySighash(transaction, input, script_code, type);
    if (!VerifyEcdsa(key, ByteSpan(signature).first(signature.size() - 1), hash)) return false;
    ++verified;
    return true;
  }

  // `stack` is what the script finds, first element lowest.
  TemplateCheck Run(const Bytes& script, const std::vector<Bytes>& stack, bool is_witness) {
    const size_t size = script.size();
    const auto verdict = [](bool is_valid) { return is_valid ? TemplateCheck::kValid : TemplateCheck::kInvalid; };
    if (size == 25 && script[0] == chaingen::kOpDup && script[24] == chaingen::kOpCheckSig) {
      if (stack.size() != 2) return TemplateCheck::kInvalid;
      return verdict(Same(Hash160(stack[1]), ByteSpan(script).subspan(3, 20)) &&
                     Ecdsa(stack[1], stack[0], script, is_witness));
    }
    if (size >= 35 && script.back() == chaingen::kOpCheckSig) {
      // A key and its check, after a lock time or a sequence where there is one; those are the caller's to judge.
      const size_t key_size = script[size - 35] == 33 ? 33 : 65;
      if (size < key_size + 2 || script[size - key_size - 2] != key_size || stack.size() != 1) return TemplateCheck::kUnknown;
      const Bytes key(script.end() - 1 - key_size, script.end() - 1);
      return verdict(Ecdsa(key, stack[0], script, is_witness));
    }
    if (size > 3 && script.back() == chaingen::kOpCheckMultisig) return verdict(Multisig(script, stack, is_witness));
    return TemplateCheck::kUnknown;
  }

  bool Multisig(const Bytes& script, const std::vector<Bytes>& stack, bool is_witness) {
    const auto items = Pushes(ByteSpan(script).first(script.size() - 1));
    if (!items || items->size() < 3 || stack.empty() || !stack[0].empty()) return false;
    const std::vector<Bytes> keys(items->begin() + 1, items->end() - 1);
    if (stack.size() - 1 != items->front()[0] || keys.size() != items->back()[0]) return false;
    size_t key = 0;
    for (size_t i = 1; i < stack.size(); ++i, ++key) {
      while (key < keys.size() && !Ecdsa(keys[key], stack[i], script, is_witness)) ++key;
      if (key == keys.size()) return false;
    }
    return true;
  }

  TemplateCheck WitnessV0(ByteSpan program) {
    const std::vector<Bytes>& witness = transaction.inputs[input].witness;
    if (program.size() == 20) {
      const Bytes script = ScriptBuilder()
                               .Op(chaingen::kOpDup)
                               .Op(chaingen::kOpHash160)
                               .Push(program)
                               .Op(chaingen::kOpEqualVerify)
                               .Op(chaingen::kOpCheckSig)
                               .Take();
      return Run(script, witness, true);
    }
    if (witness.empty() || !Same(Sha256(witness.back()), program)) return TemplateCheck::kInvalid;
    return Run(witness.back(), {witness.begin(), witness.end() - 1}, true);
  }

  TemplateCheck Taproot(ByteSpan output_key) {
    const std::vector<Bytes>& witness = transaction.inputs[input].witness;
    if (witness.empty()) return TemplateCheck::kInvalid;
    if (witness.size() > 1 && !witness.back().empty() && witness.back()[0] == 0x50) return TemplateCheck::kUnknown;
    if (witness.size() == 1) return Schnorr(output_key, witness[0], std::nullopt);
    const Bytes& script = witness[witness.size() - 2];
    const Bytes& control = witness.back();
    if (witness.size() != 3 || control.size() != 33 || script.size() != 34) return TemplateCheck::kUnknown;
    const Digest256 leaf = chaingen::TapLeafHash(script);
    const ByteSpan internal = ByteSpan(control).subspan(1);
    if ((control[0] & 0xfe) != 0xc0) return TemplateCheck::kUnknown;
    if (!CheckTaprootTweak(internal, output_key, (control[0] & 1) != 0, chaingen::TapTweak(internal, leaf))) {
      return TemplateCheck::kInvalid;
    }
    return Schnorr(ByteSpan(script).subspan(1, 32), witness[0], chaingen::TapLeafContext{leaf});
  }

  TemplateCheck Schnorr(ByteSpan key, const Bytes& signature, const std::optional<chaingen::TapLeafContext>& leaf) {
    if (signature.size() != 64 && signature.size() != 65) return TemplateCheck::kInvalid;
    const uint8_t type = signature.size() == 65 ? signature.back() : chaingen::kSighashDefault;
    const auto hash = chaingen::TaprootSighash(transaction, input, spent, type, leaf);
    if (!hash || !VerifySchnorr(key, ByteSpan(signature).first(64), *hash)) return TemplateCheck::kInvalid;
    ++verified;
    return TemplateCheck::kValid;
  }
};

}  // namespace

MutableTransaction FromPlain(const reference::PlainTransaction& plain) {
  MutableTransaction transaction;
  transaction.version = plain.version;
  transaction.lock_time = plain.lock_time;
  for (const auto& input : plain.inputs) {
    transaction.inputs.push_back(
        {{Hash256(input.previous_txid), input.previous_index}, input.script_sig, input.sequence, input.witness});
  }
  for (const auto& output : plain.outputs) transaction.outputs.push_back({output.amount, output.script});
  return transaction;
}

std::vector<ByteSpan> FramedBlocks(ByteSpan file) {
  std::vector<ByteSpan> blocks;
  for (size_t at = 0; at + 8 <= file.size();) {
    const uint32_t size = LoadLittle32(&file[at + 4]);
    if (size > file.size() - at - 8) break;
    blocks.push_back(file.subspan(at + 8, size));
    at += 8 + size;
  }
  return blocks;
}

chaingen::SetDigest DigestOf(const PlainCoins& coins, uint32_t threads) {
  std::vector<chaingen::UnspentOutput> unspent;
  for (const auto& [outpoint, coin] : coins) {
    unspent.push_back({outpoint, coin.height, coin.is_coinbase, coin.amount, coin.script});
  }
  std::reverse(unspent.begin(), unspent.end());
  return chaingen::DigestSet(std::move(unspent), threads);
}

TemplateCheck CheckInput(const MutableTransaction& transaction, uint32_t input,
                         const std::vector<TransactionOutput>& spent, uint64_t& verified) {
  Checker checker{transaction, input, spent, verified};
  const Bytes& script = spent[input].script;
  const auto stack = Pushes(transaction.inputs[input].script_sig);
  if (!stack) return TemplateCheck::kUnknown;
  const bool is_p2sh = script.size() == 23 && script[0] == chaingen::kOpHash160 && script[22] == chaingen::kOpEqual;
  if (is_p2sh && stack->empty()) return TemplateCheck::kInvalid;
  if (is_p2sh && !Same(Hash160(stack->back()), ByteSpan(script).subspan(2, 20))) return TemplateCheck::kInvalid;
  const Bytes& program = is_p2sh ? stack->back() : script;
  const bool is_program = (program.size() == 22 || program.size() == 34) && program[1] == program.size() - 2;
  if (is_program && program[0] == chaingen::kOp0) return checker.WitnessV0(ByteSpan(program).subspan(2));
  if (is_program && program[0] == chaingen::kOp1 && !is_p2sh) return checker.Taproot(ByteSpan(program).subspan(2));
  if (is_p2sh) return checker.Run(program, {stack->begin(), stack->end() - 1}, false);
  return checker.Run(script, *stack, false);
}

}  // namespace headrace::testing
