// Real transactions together with the coins that they spend, read from files under $HEADRACE_DATA: blocks whose spent
// outputs stand in a file beside them, and chains that begin with their first block.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/transaction_view.h"
#include "engine/script/script_flags.h"

namespace headrace::testing {

struct RealSource {
  std::string path;  // of the prevouts, or of the chain
  // The rules that the network applied then.
  ScriptFlags flags;
  // Made to cover every script kind, those included in which a signature decides nothing.
  bool is_generated = false;

  bool has_prevouts() const { return path.ends_with(".prevouts"); }
  std::string name() const { return path.substr(path.rfind('/') + 1); }
};

// Those that are there: every block with prevouts, the first blocks of the main network, the generated chain.
std::vector<RealSource> RealSources();

struct RealTransaction {
  TransactionView transaction;
  std::span<const Coin> spent;  // one an input
  // The bytes under the view's columns: a test may change some and must put them back before it returns.
  MutableByteSpan raw;
};

// Calls `visit` with every transaction of the source but coinbases, in order. A source that cannot be read, or whose
// inputs and prevouts do not match, fails the test.
void VisitRealTransactions(const RealSource& source, const std::function<void(const RealTransaction&)>& visit);

// What a test without any source says.
inline constexpr char kNoRealSources[] = "needs outside data: *.prevouts or chains under $HEADRACE_DATA";

}  // namespace headrace::testing
