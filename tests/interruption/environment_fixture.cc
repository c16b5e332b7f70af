#include "tests/interruption/environment_fixture.h"

namespace headrace::testing {

std::string EnvironmentTest::Sentence(ChildProcess& process) {
  EXPECT_EQ(process.WaitForExit(60), 1) << process.Everything();
  const std::string errors = process.Errors();
  EXPECT_TRUE(errors.starts_with("Error: ")) << process.Everything();
  EXPECT_EQ(errors.find('\n'), errors.size() - 1) << "one line: " << errors;
  for (const char* blame : {"block rejected", "sent a bad block", "bad-", "mandatory-script"}) {
    EXPECT_EQ(process.Output().find(blame), std::string::npos) << "nobody broke a rule: " << process.Everything();
  }
  return errors;
}

void EnvironmentTest::ExpectRightEnd(NodeProcess& node) {
  std::vector<std::string> options = ImportOptions();
  options.push_back("-stopatheight=" + std::to_string(SharedChain().height));
  ASSERT_EQ(node.RunToEnd(options, 120), 0) << node.process().Everything();
  const nlohmann::json coins = node.Coins();
  EXPECT_EQ(coins.value("height", 0u), SharedChain().height);
  EXPECT_EQ(coins.value("hash_serialized_3", ""), SharedChain().hash_serialized_3);
  const ProgramResult verified = RunProgram({Program("headrace-inspect"), "verify", node.network_directory()}, 60);
  EXPECT_EQ(verified.status, 0) << verified.output << verified.errors;
}

std::vector<std::string> Under(const std::vector<std::string>& front, const NodeProcess& node,
                               const std::vector<std::string>& options) {
  std::vector<std::string> arguments = front;
  for (const std::string& argument : {Program("headraced"), std::string("-regtest"), "-datadir=" + node.directory(),
                                      std::string("-printtoconsole=1"), std::string("-dbcache=200"),
                                      "-rpcport=" + std::to_string(FreePort())}) {
    arguments.push_back(argument);
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return arguments;
}

}  // namespace headrace::testing
