#include "storage/coins/script_compression.h"

#include <secp256k1.h>

#include <cstring>

#include "engine/base/endian.h"
#include "engine/primitives/coin.h"

namespace headrace {
namespace {

// Kinds 4 and 5 are uncompressed keys with an even or odd y; 2 and 3 are compressed keys with that first byte.
enum ScriptKind : uint8_t {
  kPubkeyHash = 0,
  kScriptHash = 1,
  kCompressedKeyEven = 2,
  kCompressedKeyOdd = 3,
  kUncompressedKeyEven = 4,
  kUncompressedKeyOdd = 5,
  kWitnessPubkeyHash = 6,
  kWitnessScriptHash = 7,
  kTaproot = 8,
  kRaw = 9,  // a varint size and the bytes
  kAnchor = 10,
  kMultisig = 11,  // of compressed keys: m and n, what the keys begin with, and their x coordinates
};

// A kind whose script is fixed bytes around one payload. Most coins are of one of these and their scripts are matched once a
// coin, so the fixed bytes are compared a word at a time.
struct Template {
  uint8_t kind;
  uint8_t prefix_size;
  uint8_t payload_size;
  uint8_t suffix_size;
  uint32_t prefix;  // in script order, the first byte lowest
  uint16_t suffix;

  constexpr size_t script_size() const { return size_t{prefix_size} + payload_size + suffix_size; }
  constexpr uint32_t prefix_mask() const { return prefix_size == 4 ? ~0u : (1u << (8 * prefix_size)) - 1; }
  // The suffix is compared as the upper bytes of the last two.
  constexpr uint32_t suffix_mask() const { return 0xffffu & ~(0xffffu >> (8 * suffix_size)); }
  // `script` has script_size() bytes, which is four at the least.
  bool Matches(const uint8_t* script) const {
    const uint32_t last = LoadLittle16(script + script_size() - 2);
    return ((LoadLittle32(script) ^ prefix) & prefix_mask()) == 0 && ((last ^ suffix) & suffix_mask()) == 0;
  }
};

// Those of one size stand together.
constexpr Template kTemplates[] = {
    {kAnchor, 4, 0, 0, 0x734e0251, 0},
    {kWitnessPubkeyHash, 2, 20, 0, 0x1400, 0},
    {kScriptHash, 2, 20, 1, 0x14a9, 0x8700},
    {kPubkeyHash, 3, 20, 2, 0x14a976, 0xac88},
    {kWitnessScriptHash, 2, 32, 0, 0x2000, 0},
    {kTaproot, 2, 32, 0, 0x2051, 0},
    {kCompressedKeyEven, 2, 32, 1, 0x0221, 0xac00},
    {kCompressedKeyOdd, 2, 32, 1, 0x0321, 0xac00},
};

const Template* MatchTemplate(ByteSpan script) {
  size_t first;
  size_t end;
  switch (script.size()) {
    case 4: first = 0, end = 1; break;
    case 22: first = 1, end = 2; break;
    case 23: first = 2, end = 3; break;
    case 25: first = 3, end = 4; break;
    case 34: first = 4, end = 6; break;
    case 35: first = 6, end = 8; break;
    default: return nullptr;
  }
  for (; first < end; ++first) {
    if (kTemplates[first].Matches(script.data())) return &kTemplates[first];
  }
  return nullptr;
}

// Payloads are hashes and keys: copies of a size that the compiler knows.
void CopyPayload(const uint8_t* from, size_t size, uint8_t* to) {
  if (size == 20) {
    std::memcpy(to, from, 20);
  } else if (size == 32) {
    std::memcpy(to, from, 32);
  }
}

constexpr size_t kUncompressedKeyScriptBytes = 67;
constexpr size_t kKeyXBytes = 32;

const Template* FindTemplate(uint8_t kind) {
  switch (kind) {
    case kPubkeyHash: return &kTemplates[3];
    case kScriptHash: return &kTemplates[2];
    case kCompressedKeyEven: return &kTemplates[6];
    case kCompressedKeyOdd: return &kTemplates[7];
    case kWitnessPubkeyHash: return &kTemplates[1];
    case kWitnessScriptHash: return &kTemplates[4];
    case kTaproot: return &kTemplates[5];
    case kAnchor: return &kTemplates[0];
    default: return nullptr;
  }
}

// OP_m, n compressed keys, OP_n, OP_CHECKMULTISIG with m <= n <= 8. Stored as a byte of (m - 1) * 8 + n - 1, a byte in which bit
// i tells that key i begins with 3, and the keys without their first byte.
struct Multisig {
  static constexpr uint32_t kKeysMax = 8;
  static constexpr size_t kKeyPushBytes = 34;
  uint32_t m = 0;
  uint32_t n = 0;

  size_t script_size() const { return 3 + n * kKeyPushBytes; }
  size_t payload_size() const { return 2 + n * kKeyXBytes; }

  static bool Parse(ByteSpan script, Multisig& multisig) {
    constexpr uint8_t kOp1 = 0x51;
    constexpr uint8_t kCheckMultisig = 0xae;
    if (script.size() < 3 + kKeyPushBytes || script.back() != kCheckMultisig) return false;
    multisig.m = script[0] - kOp1 + 1u;
    multisig.n = script[script.size() - 2] - kOp1 + 1u;
    if (multisig.m < 1 || multisig.m > multisig.n || multisig.n > kKeysMax || script.size() != multisig.script_size()) return false;
    for (uint32_t key = 0; key < multisig.n; ++key) {
      const uint8_t* push = &script[1 + key * kKeyPushBytes];
      if (push[0] != 33 || (push[1] != 2 && push[1] != 3)) return false;
    }
    return true;
  }
  void Compress(ByteSpan script, uint8_t* out) const {
    out[0] = static_cast<uint8_t>((m - 1) * kKeysMax + n - 1);
    out[1] = 0;
    for (uint32_t key = 0; key < n; ++key) {
      const uint8_t* push = &script[1 + key * kKeyPushBytes];
      out[1] |= static_cast<uint8_t>((push[1] & 1) << key);
      std::memcpy(out + 2 + key * kKeyXBytes, push + 2, kKeyXBytes);
    }
  }
  // The beginning of a payload; false when Compress cannot have written it.
  static bool Load(ByteSpan payload, Multisig& multisig) {
    if (payload.size() < 2 || payload[0] >= kKeysMax * kKeysMax) return false;
    multisig.m = payload[0] / kKeysMax + 1u;
    multisig.n = payload[0] % kKeysMax + 1u;
    return multisig.m <= multisig.n && payload[1] >> multisig.n == 0;
  }
  void Decompress(ByteSpan payload, uint8_t* out) const {
    out[0] = static_cast<uint8_t>(0x50 + m);
    for (uint32_t key = 0; key < n; ++key) {
      uint8_t* push = out + 1 + key * kKeyPushBytes;
      push[0] = 33;
      push[1] = 2 + (payload[1] >> key & 1);
      std::memcpy(push + 2, &payload[2 + key * kKeyXBytes], kKeyXBytes);
    }
    out[script_size() - 2] = static_cast<uint8_t>(0x50 + n);
    out[script_size() - 1] = 0xae;
  }
};

// <65-byte key> OP_CHECKSIG. A key whose encoding does not come back from its point must stay raw.
bool IsUncompressedKeyScript(ByteSpan script) {
  if (script.size() != kUncompressedKeyScriptBytes || script[0] != 0x41 || script[1] != 0x04 || script[66] != 0xac) {
    return false;
  }
  secp256k1_pubkey key;
  return secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, &script[1], 65) == 1;
}

}  // namespace

size_t WriteVarint(uint64_t value, uint8_t* out) {
  size_t size = 0;
  while (value >= 0x80) {
    out[size++] = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  out[size++] = static_cast<uint8_t>(value);
  return size;
}

size_t ReadVarint(ByteSpan bytes, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    if (i == 9 && bytes[i] > 1) return 0;
    value |= static_cast<uint64_t>(bytes[i] & 0x7f) << (7 * i);
    if (bytes[i] < 0x80) return i > 0 && bytes[i] == 0 ? 0 : i + 1;
  }
  return 0;
}

size_t CompressScript(ByteSpan script, uint8_t* out) {
  if (const Template* entry = MatchTemplate(script)) {
    out[0] = entry->kind;
    CopyPayload(script.data() + entry->prefix_size, entry->payload_size, out + 1);
    return size_t{1} + entry->payload_size;
  }
  if (IsUncompressedKeyScript(script)) {
    out[0] = (script[65] & 1) != 0 ? kUncompressedKeyOdd : kUncompressedKeyEven;
    std::memcpy(out + 1, &script[2], kKeyXBytes);
    return 1 + kKeyXBytes;
  }
  if (Multisig multisig; Multisig::Parse(script, multisig)) {
    out[0] = kMultisig;
    multisig.Compress(script, out + 1);
    return 1 + multisig.payload_size();
  }
  out[0] = kRaw;
  const size_t head = 1 + WriteVarint(script.size(), out + 1);
  if (!script.empty()) std::memcpy(out + head, script.data(), script.size());
  return head + script.size();
}

size_t ReadCompressedScript(ByteSpan bytes, CompressedScript& script) {
  if (bytes.empty()) return 0;
  script.kind = bytes[0];
  size_t head = 1;
  size_t payload_size;
  if (script.kind == kRaw) {
    uint64_t size;
    const size_t taken = ReadVarint(bytes.subspan(1), size);
    if (taken == 0 || size > kMaxScriptBytes) return 0;
    head += taken;
    payload_size = size;
    script.script_size = static_cast<uint32_t>(size);
  } else if (script.kind == kUncompressedKeyEven || script.kind == kUncompressedKeyOdd) {
    payload_size = kKeyXBytes;
    script.script_size = kUncompressedKeyScriptBytes;
  } else if (script.kind == kMultisig) {
    Multisig multisig;
    if (!Multisig::Load(bytes.subspan(1), multisig)) return 0;
    payload_size = multisig.payload_size();
    script.script_size = static_cast<uint32_t>(multisig.script_size());
  } else {
    const Template* entry = FindTemplate(script.kind);
    if (entry == nullptr) return 0;
    payload_size = entry->payload_size;
    script.script_size = static_cast<uint32_t>(entry->script_size());
  }
  if (bytes.size() - head < payload_size) return 0;
  script.payload = bytes.subspan(head, payload_size);
  return head + payload_size;
}

bool DecompressScript(const CompressedScript& script, uint8_t* out) {
  if (script.kind == kRaw) {
    if (!script.payload.empty()) std::memcpy(out, script.payload.data(), script.payload.size());
    return true;
  }
  if (script.kind == kUncompressedKeyEven || script.kind == kUncompressedKeyOdd) {
    uint8_t compressed[33];
    compressed[0] = script.kind == kUncompressedKeyOdd ? 0x03 : 0x02;
    std::memcpy(compressed + 1, script.payload.data(), kKeyXBytes);
    secp256k1_pubkey key;
    if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &key, compressed, sizeof(compressed)) != 1) return false;
    out[0] = 0x41;
    size_t size = 65;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, out + 1, &size, &key, SECP256K1_EC_UNCOMPRESSED);
    out[66] = 0xac;
    return true;
  }
  if (script.kind == kMultisig) {
    Multisig multisig;
    if (!Multisig::Load(script.payload, multisig)) return false;
    multisig.Decompress(script.payload, out);
    return true;
  }
  const Template* entry = FindTemplate(script.kind);
  if (entry == nullptr) return false;
  for (size_t i = 0; i < entry->prefix_size; ++i) out[i] = static_cast<uint8_t>(entry->prefix >> (8 * i));
  CopyPayload(script.payload.data(), entry->payload_size, out + entry->prefix_size);
  uint8_t* const end = out + entry->script_size();
  if (entry->suffix_size == 2) end[-2] = static_cast<uint8_t>(entry->suffix);
  if (entry->suffix_size != 0) end[-1] = static_cast<uint8_t>(entry->suffix >> 8);
  return true;
}

}  // namespace headrace
