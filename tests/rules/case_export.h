// Writes cases down for other nodes to judge: with $HEADRACE_RULE_CASES_DIR set, each case of plain regtest becomes one
// JSON file there, to be fed to another implementation by hand (for example by its submitblock).
#pragma once

#include "tests/rules/rule_case.h"

namespace headrace::testing {

// Nothing without the variable, and for cases that change the network's parameters. The file holds
//   name, rule, expected: the reject string,
//   mock_time_s: the clock's date while the chain and the breaking block are offered, twin_mock_time_s: then,
//   chain: the blocks below in hex, lowest first, without genesis; breaking, twin: one block in hex each.
void ExportCase(const RuleCase& rule_case, const Attempt& attempt, const Branch& below);

}  // namespace headrace::testing
