// The table of tests/README.md: every rule with its cases. It is generated from the rules and the cases; this test
// fails when the file says anything else, and HEADRACE_WRITE_RULE_TABLE=1 rewrites it.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/rules/rule_case.h"

namespace headrace::testing {
namespace {

const std::string kBegin = "<!-- rules: begin -->\n";
const std::string kEnd = "<!-- rules: end -->\n";

std::string ReadmePath() { return HEADRACE_TESTS_DIRECTORY "/README.md"; }

std::string ReadReadme() {
  std::ifstream file(ReadmePath());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The sentence and source of a rule stand on its first row alone.
std::string Table() {
  std::string table =
      "| rule | source | what breaks it | its twin, accepted | reject string |\n"
      "|---|---|---|---|---|\n";
  Rule last = Rule::kNone;
  for (const RuleCase& c : AllCases()) {
    const RuleInfo& info = InfoFor(c.rule);
    const bool is_first = c.rule != last;
    last = c.rule;
    table += "| " + (is_first ? std::string(info.sentence) : "") + " | " + (is_first ? std::string(info.source) : "") +
             " | " + c.breaking + " | " + c.twin + " | `" + c.reject + "` |\n";
  }
  return table;
}

TEST(RuleTable, IsWhatTheCasesSay) {
  const std::string readme = ReadReadme();
  const size_t begin = readme.find(kBegin);
  const size_t end = readme.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end)
      << ReadmePath() << " has no place for the table between " << kBegin << " and " << kEnd;
  const std::string before = readme.substr(0, begin + kBegin.size());
  if (const char* write = std::getenv("HEADRACE_WRITE_RULE_TABLE"); write != nullptr && std::string(write) == "1") {
    std::ofstream(ReadmePath()) << before << Table() << readme.substr(end);
  }
  const std::string now = ReadReadme();
  EXPECT_TRUE(now.substr(before.size(), now.find(kEnd) - before.size()) == Table())
      << "The table is out of date: run this test once with HEADRACE_WRITE_RULE_TABLE=1.";
}

}  // namespace
}  // namespace headrace::testing
