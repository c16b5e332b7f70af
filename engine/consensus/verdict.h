// What a check found: nothing, or the first rule broken and where. A verdict is about a peer's bytes; failures of disk or
// memory are absl::Status and never mixed with it.
#pragma once

#include <cstdint>
#include <string>

#include "engine/consensus/rule.h"
#include "engine/script/script_error.h"

namespace headrace {

struct [[nodiscard]] Verdict {
  Rule rule = Rule::kNone;
  // Where, when the rule is about a transaction or an input: both count from the block's, the transaction's first.
  uint32_t transaction = 0;
  uint32_t input = 0;
  // Why, when the rule is kScript; what the header said, when it is kVersionTooOld.
  ScriptError script_error = ScriptError::kOk;
  int32_t block_version = 0;

  bool ok() const { return rule == Rule::kNone; }
  // See RuleInfo::is_mutation.
  bool is_mutation() const { return InfoFor(rule).is_mutation; }
  // The field's words: "bad-cb-amount", "bad-version(0x00000001)", "block-script-verify-flag-failed (...)".
  std::string RejectReason() const;

  static Verdict Script(uint32_t transaction, uint32_t input, ScriptError error) {
    return {Rule::kScript, transaction, input, error};
  }
  bool operator==(const Verdict&) const = default;
};

}  // namespace headrace
