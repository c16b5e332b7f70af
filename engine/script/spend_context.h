// What one spend's scripts may look at. A bundle of views, made by the spend verifier and read by the interpreter.
#pragma once

#include <span>

#include "engine/primitives/coin.h"
#include "engine/primitives/transaction_view.h"
#include "engine/script/script_flags.h"
#include "engine/script/spend_verifier.h"

namespace headrace {

struct SpendContext {
  TransactionView transaction;
  uint32_t input;
  std::span<const Coin> spent;
  ScriptFlags flags;
  const TransactionMidstates& midstates;

  bool Has(ScriptFlag flag) const { return (flags & flag) != 0; }
};

}  // namespace headrace
