#include "net/rpc/script_json.h"

#include "engine/base/hex.h"
#include "engine/script/disassemble.h"
#include "engine/script/standard.h"

namespace headrace {

Json ScriptPubKeyJson(ByteSpan script, const AddressPrefixes& prefixes) {
  Json json = Json::object();
  json["asm"] = DisassembleScript(script);
  json["hex"] = HexEncode(script);
  if (const std::optional<std::string> address = EncodeAddress(script, prefixes)) json["address"] = *address;
  json["type"] = std::string(OutputKindName(ClassifyOutput(script)));
  return json;
}

}  // namespace headrace
