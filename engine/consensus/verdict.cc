#include "engine/consensus/verdict.h"

#include <cstdio>

namespace headrace {

std::string Verdict::RejectReason() const {
  std::string reason(InfoFor(rule).reject_reason);
  if (rule == Rule::kVersionTooOld) {
    char suffix[16];
    std::snprintf(suffix, sizeof(suffix), "(0x%08x)", static_cast<unsigned>(block_version));
    reason += suffix;
  } else if (rule == Rule::kScript) {
    reason.append(" (").append(ScriptErrorSentence(script_error)).append(")");
  }
  return reason;
}

}  // namespace headrace
