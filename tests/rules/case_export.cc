#include "tests/rules/case_export.h"

#include <cstdlib>
#include <fstream>

#include "engine/base/hex.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace headrace::testing {

void ExportCase(const RuleCase& rule_case, const Attempt& attempt, const Branch& below) {
  const char* directory = std::getenv("HEADRACE_RULE_CASES_DIR");
  if (directory == nullptr || rule_case.params != nullptr || attempt.params != nullptr) return;
  nlohmann::ordered_json json;
  json["name"] = rule_case.name;
  json["rule"] = std::string(InfoFor(rule_case.rule).sentence);
  json["expected"] = rule_case.reject;
  json["mock_time_s"] = attempt.now_s;
  json["twin_mock_time_s"] = attempt.twin_now_s == 0 ? attempt.now_s : attempt.twin_now_s;
  json["chain"] = nlohmann::ordered_json::array();
  for (const auto& block : below.blocks()) json["chain"].push_back(HexEncode(block->raw->bytes()));
  json["breaking"] = HexEncode(attempt.breaking.raw->bytes());
  json["twin"] = HexEncode(attempt.twin.raw->bytes());
  std::ofstream file(std::string(directory) + "/" + rule_case.name + ".json");
  file << json.dump(1) << "\n";
  file.close();
  ASSERT_TRUE(file.good()) << "cannot write to " << directory;
}

}  // namespace headrace::testing
