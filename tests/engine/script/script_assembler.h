// The assembler text of the field's script vectors, turned into scripts and flags.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/script/script_flags.h"

namespace headrace::testing {

// Words: decimal numbers are pushed, 0x... is taken as raw script, '...' is pushed as text, names with or without OP_ are
// opcodes. Throws std::runtime_error for anything else.
std::vector<uint8_t> AssembleScript(const std::string& text);

// "P2SH,WITNESS", "NONE" or "" to flags; throws for a name that it does not know.
ScriptFlags ParseFlags(std::string_view names);

// Every flag there is.
ScriptFlags AllFlags();

// Some flags mean nothing without others: clean stack needs witness, taproot needs witness, and witness needs P2SH.
// Takes away what lacks its ground.
ScriptFlags TrimFlags(ScriptFlags flags);
// Adds what is missing instead.
ScriptFlags FillFlags(ScriptFlags flags);

}  // namespace headrace::testing
