// Output scripts as the interface shows them: disassembly, hex, address and kind. Pure; any thread.
#pragma once

#include "engine/base/bytes.h"
#include "engine/script/address.h"
#include "net/rpc/json_text.h"

namespace headrace {

Json ScriptPubKeyJson(ByteSpan script, const AddressPrefixes& prefixes);

}  // namespace headrace
