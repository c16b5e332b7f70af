// A script as the words that people and the interface read: opcodes by name, pushes of up to four bytes as the number
// that they are on the stack, longer ones in hex; "[error]" where a push promises more bytes than there are.
//
// For display alone: different scripts may give the same words (a push of 0x05 and OP_5 both say "5"). Pure; any
// thread; linear in the script, whatever its size.
#pragma once

#include <string>

#include "engine/base/bytes.h"

namespace headrace {

std::string DisassembleScript(ByteSpan script);

}  // namespace headrace
