#include "net/rpc/rpc_method.h"

#include <gtest/gtest.h>

#include <set>

#include "net/rpc/method_table.h"
#include "net/rpc/rpc_context.h"

namespace headrace {
namespace {

RpcMethod Sample() {
  return {
      .category = "test",
      .name = "sample",
      .sentence = "Does nothing.",
      .arguments =
          {{.names = "hash", .type = ArgumentType::kHex, .is_required = true, .sentence = "A hash."},
           {.names = "verbosity|verbose", .type = ArgumentType::kNumber, .default_text = "1", .sentence = "How much."},
           {.names = "flag", .type = ArgumentType::kBool, .sentence = "Whether."},
           {.names = "any", .type = ArgumentType::kNumber, .sentence = "Anything.", .takes_any_type = true}},
      .result = "null",
      .example = "\"HASH\" 1",
      .function = nullptr};
}

// What `act` gives, or the code and message of its error.
template <typename Act>
std::string Outcome(Act act) {
  try {
    return act();
  } catch (const RpcError& error) {
    return std::to_string(error.code) + " " + error.message;
  }
}

std::string Positions(const std::string& params) {
  return Outcome([&] { return WriteJson(PositionalParams(Sample(), *ParseJson(params))); });
}

std::string Check(const std::string& params) {
  return Outcome([&]() -> std::string {
    CheckParams(Sample(), *ParseJson(params));
    return "good";
  });
}

TEST(RpcMethodTest, NamedParamsBecomePositions) {
  EXPECT_EQ(Positions(R"(["a",1])"), R"(["a",1])");
  EXPECT_EQ(Positions(R"({})"), "[]");
  EXPECT_EQ(Positions(R"({"any":7,"hash":"a"})"), R"(["a",null,null,7])");
  EXPECT_EQ(Positions(R"({"verbose":2})"), "[null,2]") << "by its second name";
  EXPECT_EQ(Positions(R"({"verbosity":2})"), "[null,2]");
}

TEST(RpcMethodTest, NamedParamsMixWithPositions) {
  EXPECT_EQ(Positions(R"({"args":["a"]})"), R"(["a"])");
  EXPECT_EQ(Positions(R"({"args":["a"],"flag":true})"), R"(["a",null,true])");
  EXPECT_EQ(Positions(R"({"flag":true,"args":["a",3]})"), R"(["a",3,true])");
  EXPECT_EQ(Positions(R"({"args":["a"],"hash":"b"})"),
            "-8 Parameter hash specified twice both as positional and named argument");
  EXPECT_EQ(Positions(R"({"args":["a",null,true],"flag":false})"),
            "-8 Parameter flag specified twice both as positional and named argument");
  EXPECT_EQ(Positions(R"({"args":[],"hash":"b"})"), R"(["b"])");
}

TEST(RpcMethodTest, UnknownAndDoubledNames) {
  EXPECT_EQ(Positions(R"({"hash":"a","x":1})"), "-8 Unknown named parameter x");
  EXPECT_EQ(Positions(R"({"hash":"a","hash":"b"})"), "-8 Parameter hash specified multiple times");
  EXPECT_EQ(Positions(R"({"args":[1],"args":[2]})"), "-8 Parameter args specified multiple times");
  EXPECT_EQ(Positions(R"({"verbosity":1,"verbose":2})"), "-8 Unknown named parameter verbose");
  EXPECT_EQ(Positions(R"({"args":5})"), "-8 Unknown named parameter args");
}

TEST(RpcMethodTest, CountsAndTypes) {
  const std::string help = "-1 " + MethodHelp(Sample());
  EXPECT_EQ(Check(R"([])"), help);
  EXPECT_EQ(Check(R"(["a",1,true,null,5])"), help);
  EXPECT_EQ(Check(R"(["a"])"), "good");
  EXPECT_EQ(Check(R"(["a",1,true,"x"])"), "good");
  EXPECT_EQ(Check(R"(["a",null,null,null])"), "good") << "null is left out";
  EXPECT_EQ(Check(R"([null])"),
            "-3 Wrong type passed:\n{\n    \"Position 1 (hash)\": \"JSON value of type null is not of expected type "
            "string\"\n}");
  EXPECT_EQ(Check(R"([{},"1",0])"),
            "-3 Wrong type passed:\n{\n    \"Position 1 (hash)\": \"JSON value of type object is not of expected type "
            "string\",\n"
            "    \"Position 2 (verbosity|verbose)\": \"JSON value of type string is not of expected type number\",\n"
            "    \"Position 3 (flag)\": \"JSON value of type number is not of expected type bool\"\n}");
}

template <typename Get>
std::string Value(const std::string& params, Get get) {
  RpcContext context;
  const RpcMethod method = Sample();
  const Json parsed = *ParseJson(params);
  return Outcome([&] { return get(RpcCall(context, method, parsed)); });
}

TEST(RpcMethodTest, Integers) {
  auto whole = [](const RpcCall& call) { return std::to_string(call.Integer(0)); };
  auto natural = [](const RpcCall& call) { return std::to_string(call.Unsigned(0)); };
  EXPECT_EQ(Value("[-2147483648]", whole), "-2147483648");
  EXPECT_EQ(Value("[2147483647]", whole), "2147483647");
  EXPECT_EQ(Value("[4294967295]", natural), "4294967295");
  for (const char* beyond : {"[2147483648]", "[-2147483649]", "[1.5]", "[1.0]", "[18446744073709551615]", "[1e3]",
                             "[99999999999999999999]"}) {
    EXPECT_EQ(Value(beyond, whole), "-1 JSON integer out of range") << beyond;
  }
  EXPECT_EQ(Value("[4294967296]", natural), "-1 JSON integer out of range");
  EXPECT_EQ(Value("[-1]", natural), "-1 JSON integer out of range");
  EXPECT_EQ(Value("[\"1\"]", whole), "-3 JSON value of type string is not of expected type number");
  EXPECT_EQ(Value("[]", whole), "-3 JSON value of type null is not of expected type number");
}

TEST(RpcMethodTest, Hashes) {
  auto hash = [](const RpcCall& call) { return call.Hash(0, "blockhash").ToHex(); };
  EXPECT_EQ(Value("[\"" + std::string(62, '0') + "aB\"]", hash), std::string(62, '0') + "ab");
  EXPECT_EQ(Value("[\"00\"]", hash), "-8 blockhash must be of length 64 (not 2, for '00')");
  const std::string bad = std::string(63, '0') + "g";
  EXPECT_EQ(Value("[\"" + bad + "\"]", hash), "-8 blockhash must be hexadecimal string (not '" + bad + "')");
}

TEST(RpcMethodTest, Help) {
  EXPECT_EQ(MethodSynopsis(Sample()), "sample \"hash\" ( verbosity flag any )");
  const std::string help = MethodHelp(Sample());
  for (const char* line :
       {"1. hash    (string, required) A hash.\n", "2. verbosity    (numeric, optional, default=1) How much.\n",
        "> headrace-cli sample \"HASH\" 1\n", "\"params\": [\"HASH\", 1]"}) {
    EXPECT_NE(help.find(line), std::string::npos) << help;
  }
}

TEST(MethodTableTest, EveryMethodSaysWhatItIs) {
  std::set<std::string_view> names;
  for (const RpcMethod& method : RpcMethods().methods()) {
    SCOPED_TRACE(std::string(method.name));
    EXPECT_TRUE(names.insert(method.name).second);
    EXPECT_EQ(RpcMethods().Find(method.name), &method);
    EXPECT_NE(method.function, nullptr);
    EXPECT_TRUE(method.sentence.ends_with('.'));
    EXPECT_FALSE(method.result.empty());
    bool is_optional = false;
    for (const RpcArgument& argument : method.arguments) {
      EXPECT_TRUE(argument.sentence.ends_with('.')) << argument.names;
      EXPECT_FALSE(argument.is_required && is_optional) << "required after optional: " << argument.names;
      is_optional = !argument.is_required;
    }
    std::string params;
    for (char c : method.example) params += c == ' ' ? ',' : c;
    EXPECT_NO_THROW(CheckParams(method, *ParseJson("[" + params + "]"))) << method.example;
  }
  EXPECT_EQ(RpcMethods().Find("getblockcoun"), nullptr);
}

TEST(MethodTableTest, OverviewHasATitleForEachCategory) {
  const std::string overview = RpcMethods().Overview();
  for (const char* line : {"== Blockchain ==\n", "\n\n== Control ==\n", "\n\n== Mining ==\n", "\n\n== Network ==\n",
                           "\ngetblock \"blockhash\" ( verbosity )\n", "\nstop\n"}) {
    EXPECT_NE(overview.find(line), std::string::npos) << line << overview;
  }
  EXPECT_EQ(overview.find("echo"), std::string::npos) << "hidden";
}

}  // namespace
}  // namespace headrace
