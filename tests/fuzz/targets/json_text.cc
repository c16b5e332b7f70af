// JSON text: accepted where the library's own reader accepts it (but for the depth), written as one document that reads
// back as the same, in both layouts.
#include "net/rpc/json_text.h"

#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

size_t DepthOf(std::string_view text) {
  size_t depth = 0;
  size_t most = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      most = std::max(most, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return most;
}

void Run(ByteSpan input) {
  const std::string_view text = AsText(input);
  const AllocationMeter meter;
  const std::optional<Json> value = ParseJson(text);
  HR_CHECK(meter.peak_bytes() <= (64 << 10) + 200 * text.size());
  const bool is_json = nlohmann::json::accept(text.begin(), text.end());
  HR_CHECK(value.has_value() == (is_json && DepthOf(text) <= kJsonDepthMax));
  if (!value) return;
  for (const int indent : {0, 4}) {
    const std::string written = WriteJson(*value, indent);
    const std::optional<Json> again = ParseJson(written);
    HR_CHECK(again.has_value() && WriteJson(*again, indent) == written);
    HR_CHECK(JsonTypeName(*again) == JsonTypeName(*value));
    // The library reads the same document.
    HR_CHECK(nlohmann::ordered_json::parse(written) == nlohmann::ordered_json::parse(text));
  }
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const std::string& text :
       {std::string(
            R"({"jsonrpc":"2.0","method":"getblock","params":["00ff",2,true,null,{"a":[1.50,-0,1e5]}],"id":"x"})"),
        std::string(R"([0.00000001,-1.0E+2,18446744073709551615,-9223372036854775808,99999999999999999999])"),
        std::string(R"({"a":1,"a":2,"":"\u00e9\ud83d\ude00\"\\\/\b\n"})"), std::string("  [ ]  "),
        std::string("\"\x7f\xc3\xa9\""), std::string("nul"), std::string("[1,]"), std::string("\xef\xbb\xbf[]"),
        std::string("1e999"), std::string("\"\xff\""),
        std::string(kJsonDepthMax, '[') + std::string(kJsonDepthMax, ']'),
        std::string(kJsonDepthMax + 1, '[') + std::string(kJsonDepthMax + 1, ']')}) {
    corpus.emplace_back(text.begin(), text.end());
  }
  return corpus;
}

FUZZ_TARGET(json_text, 4'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
