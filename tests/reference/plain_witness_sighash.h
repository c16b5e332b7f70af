// The signature hashes of BIP143, BIP341 and BIP342, written from their texts: the message is put together from whole
// serialisations, field by field in the order of the text, and hashed at the end. Nothing is shared or remembered.
#pragma once

#include <optional>
#include <string_view>

#include "engine/crypto/sha256.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::testing {

namespace plain {

inline void PutNumber(Bytes& out, uint64_t number, int size) {
  for (int i = 0; i < size; ++i) out.push_back(static_cast<uint8_t>(number >> (8 * i)));
}

inline void Put(Bytes& out, ByteSpan bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

inline void PutCounted(Bytes& out, const Bytes& bytes) {
  if (bytes.size() < 253) {
    PutNumber(out, bytes.size(), 1);
  } else if (bytes.size() <= 0xffff) {
    PutNumber(out, 253, 1);
    PutNumber(out, bytes.size(), 2);
  } else {
    PutNumber(out, 254, 1);
    PutNumber(out, bytes.size(), 4);
  }
  Put(out, bytes);
}

inline void PutOutpoint(Bytes& out, const TransactionInput& input) {
  Put(out, input.prevout.txid.bytes);
  PutNumber(out, input.prevout.index, 4);
}

inline void PutOutput(Bytes& out, const TransactionOutput& output) {
  PutNumber(out, static_cast<uint64_t>(output.amount), 8);
  PutCounted(out, output.script);
}

inline Digest256 Twice(const Bytes& bytes) { return Sha256(Sha256(bytes)); }

// BIP340: the tag's hash twice, then the message.
inline Digest256 Tagged(std::string_view tag, const Bytes& message) {
  const Digest256 tag_hash = Sha256(AsBytes(tag));
  Bytes bytes;
  Put(bytes, tag_hash);
  Put(bytes, tag_hash);
  Put(bytes, message);
  return Sha256(bytes);
}

inline Bytes AllOutpoints(const MutableTransaction& transaction) {
  Bytes out;
  for (const TransactionInput& input : transaction.inputs) PutOutpoint(out, input);
  return out;
}

inline Bytes AllSequences(const MutableTransaction& transaction) {
  Bytes out;
  for (const TransactionInput& input : transaction.inputs) PutNumber(out, input.sequence, 4);
  return out;
}

inline Bytes AllOutputs(const MutableTransaction& transaction) {
  Bytes out;
  for (const TransactionOutput& output : transaction.outputs) PutOutput(out, output);
  return out;
}

inline Bytes OneOutput(const MutableTransaction& transaction, uint32_t index) {
  Bytes out;
  PutOutput(out, transaction.outputs[index]);
  return out;
}

}  // namespace plain

// BIP143, items 1 to 10.
inline Bytes PlainWitnessV0Message(const MutableTransaction& transaction, uint32_t input, const Bytes& script_code,
                                   Amount amount, uint32_t hash_type) {
  const bool anyone_can_pay = (hash_type & 0x80) != 0;
  const bool single = (hash_type & 0x1f) == 3;
  const bool none = (hash_type & 0x1f) == 2;
  const TransactionInput& own = transaction.inputs[input];
  const Digest256 zero{};
  Bytes out;
  plain::PutNumber(out, static_cast<uint32_t>(transaction.version), 4);
  plain::Put(out, anyone_can_pay ? zero : plain::Twice(plain::AllOutpoints(transaction)));
  plain::Put(out, anyone_can_pay || single || none ? zero : plain::Twice(plain::AllSequences(transaction)));
  plain::PutOutpoint(out, own);
  plain::PutCounted(out, script_code);
  plain::PutNumber(out, static_cast<uint64_t>(amount), 8);
  plain::PutNumber(out, own.sequence, 4);
  if (!single && !none) {
    plain::Put(out, plain::Twice(plain::AllOutputs(transaction)));
  } else if (single && input < transaction.outputs.size()) {
    plain::Put(out, plain::Twice(plain::OneOutput(transaction, input)));
  } else {
    plain::Put(out, zero);
  }
  plain::PutNumber(out, transaction.lock_time, 4);
  plain::PutNumber(out, hash_type, 4);
  return out;
}

inline Digest256 PlainWitnessV0SignatureHash(const MutableTransaction& transaction, uint32_t input,
                                             const Bytes& script_code, Amount amount, uint32_t hash_type) {
  return plain::Twice(PlainWitnessV0Message(transaction, input, script_code, amount, hash_type));
}

// What BIP342 adds for a script path spend.
struct PlainLeaf {
  uint8_t version = 0xc0;
  Bytes script;
  uint32_t code_separator_position = 0xffffffff;
};

// BIP341's message with its epoch, BIP342's extension included; nothing where the text says that validation fails.
// `annex` begins with its 0x50.
inline std::optional<Bytes> PlainTaprootMessage(const MutableTransaction& transaction, uint32_t input,
                                                const std::vector<TransactionOutput>& spent, uint8_t hash_type,
                                                const std::optional<Bytes>& annex,
                                                const std::optional<PlainLeaf>& leaf) {
  if (hash_type > 3 && (hash_type < 0x81 || hash_type > 0x83)) return std::nullopt;
  const bool anyone_can_pay = hash_type >= 0x80;
  const bool none = hash_type == 2 || hash_type == 0x82;
  const bool single = hash_type == 3 || hash_type == 0x83;
  if (single && input >= transaction.outputs.size()) return std::nullopt;
  Bytes out;
  plain::PutNumber(out, 0, 1);
  plain::PutNumber(out, hash_type, 1);
  plain::PutNumber(out, static_cast<uint32_t>(transaction.version), 4);
  plain::PutNumber(out, transaction.lock_time, 4);
  if (!anyone_can_pay) {
    Bytes amounts, scripts;
    for (const TransactionOutput& output : spent) {
      plain::PutNumber(amounts, static_cast<uint64_t>(output.amount), 8);
      plain::PutCounted(scripts, output.script);
    }
    plain::Put(out, Sha256(plain::AllOutpoints(transaction)));
    plain::Put(out, Sha256(amounts));
    plain::Put(out, Sha256(scripts));
    plain::Put(out, Sha256(plain::AllSequences(transaction)));
  }
  if (!none && !single) plain::Put(out, Sha256(plain::AllOutputs(transaction)));
  plain::PutNumber(out, (leaf ? 1 : 0) * 2 + (annex ? 1 : 0), 1);
  if (anyone_can_pay) {
    plain::PutOutpoint(out, transaction.inputs[input]);
    plain::PutOutput(out, spent[input]);
    plain::PutNumber(out, transaction.inputs[input].sequence, 4);
  } else {
    plain::PutNumber(out, input, 4);
  }
  if (annex) {
    Bytes counted;
    plain::PutCounted(counted, *annex);
    plain::Put(out, Sha256(counted));
  }
  if (single) plain::Put(out, Sha256(plain::OneOutput(transaction, input)));
  if (leaf) {
    Bytes hashed{leaf->version};
    plain::PutCounted(hashed, leaf->script);
    plain::Put(out, plain::Tagged("TapLeaf", hashed));
    plain::PutNumber(out, 0, 1);
    plain::PutNumber(out, leaf->code_separator_position, 4);
  }
  return out;
}

inline std::optional<Digest256> PlainTaprootSignatureHash(const MutableTransaction& transaction, uint32_t input,
                                                          const std::vector<TransactionOutput>& spent,
                                                          uint8_t hash_type, const std::optional<Bytes>& annex,
                                                          const std::optional<PlainLeaf>& leaf) {
  const auto message = PlainTaprootMessage(transaction, input, spent, hash_type, annex, leaf);
  if (!message) return std::nullopt;
  return plain::Tagged("TapSighash", *message);
}

}  // namespace headrace::testing
