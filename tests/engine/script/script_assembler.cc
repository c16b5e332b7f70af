#include "tests/engine/script/script_assembler.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "engine/base/hex.h"
#include "engine/script/script_builder.h"

namespace headrace::testing {
namespace {

constexpr std::array<std::pair<std::string_view, ScriptFlags>, 21> kFlagNames = {{
    {"P2SH", kVerifyP2sh},
    {"STRICTENC", kVerifyStrictEncoding},
    {"DERSIG", kVerifyDerSignatures},
    {"LOW_S", kVerifyLowS},
    {"NULLDUMMY", kVerifyNullDummy},
    {"SIGPUSHONLY", kVerifySigPushOnly},
    {"MINIMALDATA", kVerifyMinimalData},
    {"DISCOURAGE_UPGRADABLE_NOPS", kVerifyDiscourageUpgradableNops},
    {"CLEANSTACK", kVerifyCleanStack},
    {"CHECKLOCKTIMEVERIFY", kVerifyCheckLockTimeVerify},
    {"CHECKSEQUENCEVERIFY", kVerifyCheckSequenceVerify},
    {"WITNESS", kVerifyWitness},
    {"DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM", kVerifyDiscourageUpgradableWitnessProgram},
    {"MINIMALIF", kVerifyMinimalIf},
    {"NULLFAIL", kVerifyNullFail},
    {"WITNESS_PUBKEYTYPE", kVerifyWitnessPubkeyType},
    {"CONST_SCRIPTCODE", kVerifyConstScriptCode},
    {"TAPROOT", kVerifyTaproot},
    {"DISCOURAGE_UPGRADABLE_TAPROOT_VERSION", kVerifyDiscourageUpgradableTaprootVersion},
    {"DISCOURAGE_OP_SUCCESS", kVerifyDiscourageOpSuccess},
    {"DISCOURAGE_UPGRADABLE_PUBKEYTYPE", kVerifyDiscourageUpgradablePubkeyType},
}};

std::map<std::string, Opcode> NamedOpcodes() {
  std::map<std::string, Opcode> names;
  for (int value = 0; value < 0xff; ++value) {
    const Opcode opcode = static_cast<Opcode>(value);
    const std::string name(OpcodeName(opcode));
    if (!name.starts_with("OP_") || name == "OP_UNKNOWN") continue;
    names[name] = opcode;
    names[name.substr(3)] = opcode;
  }
  return names;
}

}  // namespace

std::vector<uint8_t> AssembleScript(const std::string& text) {
  static const std::map<std::string, Opcode> kNames = NamedOpcodes();
  ScriptBuilder builder;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size()) {
      builder.Number(number);
    } else if (word.starts_with("0x")) {
      const auto bytes = HexDecode(word.substr(2));
      if (!bytes) throw std::runtime_error("no hex: " + word);
      builder.Raw(*bytes);
    } else if (word.size() >= 2 && word.front() == '\'' && word.back() == '\'') {
      builder.Data(AsBytes(std::string_view(word).substr(1, word.size() - 2)));
    } else if (const auto named = kNames.find(word); named != kNames.end()) {
      builder.Op(named->second);
    } else {
      throw std::runtime_error("unknown word: " + word);
    }
  }
  return builder.Take();
}

ScriptFlags ParseFlags(std::string_view names) {
  ScriptFlags flags = kVerifyNone;
  while (!names.empty()) {
    const size_t comma = std::min(names.find(','), names.size());
    const std::string_view name = names.substr(0, comma);
    names.remove_prefix(std::min(comma + 1, names.size()));
    if (name == "NONE") continue;
    const auto known = std::ranges::find(kFlagNames, name, [](const auto& entry) { return entry.first; });
    if (known == kFlagNames.end()) throw std::runtime_error("unknown flag: " + std::string(name));
    flags |= known->second;
  }
  return flags;
}

ScriptFlags AllFlags() {
  ScriptFlags flags = kVerifyNone;
  for (const auto& [name, flag] : kFlagNames) flags |= flag;
  return flags;
}

ScriptFlags TrimFlags(ScriptFlags flags) {
  if ((flags & kVerifyP2sh) == 0) flags &= ~ScriptFlags{kVerifyWitness};
  if ((flags & kVerifyWitness) == 0) flags &= ~ScriptFlags{kVerifyCleanStack | kVerifyTaproot};
  return flags;
}

ScriptFlags FillFlags(ScriptFlags flags) {
  if ((flags & (kVerifyCleanStack | kVerifyTaproot)) != 0) flags |= kVerifyWitness;
  if ((flags & kVerifyWitness) != 0) flags |= kVerifyP2sh;
  return flags;
}

}  // namespace headrace::testing
