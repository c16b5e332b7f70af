#include "tools/cli/call_params.h"

#include <gtest/gtest.h>

#include "net/rpc/method_table.h"

namespace headrace {
namespace {

std::string Text(const absl::StatusOr<Json>& params) {
  return params.ok() ? WriteJson(*params) : std::string(params.status().message());
}
std::string Positional(const std::string& method, const std::vector<std::string>& words) {
  return Text(PositionalWords(RpcMethods().Find(method), words));
}
std::string Named(const std::string& method, const std::vector<std::string>& words) {
  return Text(NamedWords(RpcMethods().Find(method), words));
}

TEST(CallParamsTest, TheRowDecidesWhatIsAString) {
  EXPECT_EQ(Positional("getblockcount", {}), "[]");
  EXPECT_EQ(Positional("getblockhash", {"5"}), "[5]");
  EXPECT_EQ(Positional("getblock", {"00ff", "0"}), R"(["00ff",0])");
  EXPECT_EQ(Positional("getblock", {"1234", "true"}), R"(["1234",true])") << "digits of a hash are no number";
  EXPECT_EQ(Positional("getblockheader", {"00", "false"}), R"(["00",false])");
  EXPECT_EQ(Positional("gettxout", {"00", "1", "null"}), R"(["00",1,null])");
  EXPECT_EQ(Positional("echo", {"1", "true", "x"}), R"(["1","true","x"])");
  EXPECT_EQ(Positional("echojson", {"1.50", "true", "{\"a\":[]}", "\"x\""}), R"([1.50,true,{"a":[]},"x"])");
  EXPECT_EQ(Positional("gettxoutsetinfo", {"none", "00ff"}), R"(["none","00ff"])") << "a hash or a height";
  EXPECT_EQ(Positional("gettxoutsetinfo", {"none", "7"}), R"(["none",7])");
  EXPECT_EQ(Positional("nobodyknows", {"1", "x"}), R"(["1","x"])");
  EXPECT_EQ(Positional("getblockcount", {"1"}), R"(["1"])") << "the server complains";
}

TEST(CallParamsTest, WordsThatAreNoJson) {
  EXPECT_EQ(Positional("getblockhash", {"foo"}), "Error parsing JSON: foo");
  EXPECT_EQ(Positional("echojson", {"1", ""}), "Error parsing JSON: ");
  EXPECT_EQ(Named("getblockhash", {"height=five"}), "Error parsing JSON: five");
  EXPECT_EQ(Named("echo", {"args=x"}), "Error parsing JSON: x");
}

TEST(CallParamsTest, Named) {
  EXPECT_EQ(Named("getblock", {"blockhash=00", "verbosity=0"}), R"({"blockhash":"00","verbosity":0})");
  EXPECT_EQ(Named("getblock", {"00", "verbose=0"}), R"({"verbose":0,"args":["00"]})");
  EXPECT_EQ(Named("echo", {"arg0=a=b", "arg1="}), R"({"arg0":"a=b","arg1":""})");
  EXPECT_EQ(Named("echo", {"arg0=0", "arg1=1", "arg1=3"}), R"({"arg0":"0","arg1":"3"})") << "the later one counts";
  EXPECT_EQ(Named("echojson", {"[\"key=value\"]", "42"}), R"({"args":[["key=value"],42]})")
      << "no name of the method's";
  EXPECT_EQ(Named("echojson", {"arg0=[\"data=test\"]", "arg1=42"}), R"({"arg0":["data=test"],"arg1":42})");
  EXPECT_EQ(Named("echo", {"args=[0,1]", "4"}), R"({"args":[0,1],"args":["4"]})") << "the server names the mistake";
  EXPECT_EQ(Named("nobodyknows", {"a=1", "b"}), R"({"a":"1","args":["b"]})");
}

}  // namespace
}  // namespace headrace
