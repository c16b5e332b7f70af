#include "net/rpc/rpc_authentication.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "engine/runtime/production_entropy.h"
#include "net/rpc/rpc_cookie.h"
#include "tests/support/temporary_directory.h"

namespace headrace {
namespace {

TEST(RpcAuthenticationTest, PlainPasswords) {
  ProductionEntropy entropy;
  RpcAuthentication authentication;
  EXPECT_FALSE(authentication.Accepts(BasicAuthorization("alice:secret"))) << "nobody is known";
  authentication.AddPassword("alice", "secret:with:colons", entropy);
  authentication.AddPassword("bob", "", entropy);
  EXPECT_TRUE(authentication.Accepts(BasicAuthorization("alice:secret:with:colons")));
  EXPECT_TRUE(authentication.Accepts(BasicAuthorization("bob:")));
  for (const char* wrong : {"alice:secret", "alice:", "bob:secret:with:colons", "Alice:secret:with:colons", "alice",
                            ":", "", "alic:e:secret:with:colons", "alice:secret:with:colons "}) {
    EXPECT_FALSE(authentication.Accepts(BasicAuthorization(wrong))) << wrong;
  }
}

TEST(RpcAuthenticationTest, MalformedFields) {
  ProductionEntropy entropy;
  RpcAuthentication authentication;
  authentication.AddPassword("a", "b", entropy);
  EXPECT_TRUE(authentication.Accepts("Basic YTpi"));
  for (const char* field : {"", "Basic", "Basic ", "Bearer YTpi", "Digest username=\"a\"", "Basic !!!notbase64!!!",
                            "YTpi", "basicYTpi", "Basic YTpi!", "Basic Y"}) {
    EXPECT_FALSE(authentication.Accepts(field)) << field;
  }
  EXPECT_FALSE(authentication.Accepts("Basic " + std::string(100'000, 'A')));
}

TEST(RpcAuthenticationTest, HashedPasswords) {
  // RFC 4231, test case 2: key "Jefe".
  EXPECT_EQ(PasswordHmacHex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  RpcAuthentication authentication;
  ASSERT_TRUE(
      authentication.AddHashed("user:Jefe$5BDCC146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843").ok());
  EXPECT_TRUE(authentication.Accepts(BasicAuthorization("user:what do ya want for nothing?")));
  EXPECT_FALSE(authentication.Accepts(BasicAuthorization("user:what do ya want for nothing")));
  EXPECT_FALSE(authentication.Accepts(
      BasicAuthorization("user:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")));
  const std::string hash(64, '0');
  for (const std::string& text :
       {std::string(), std::string("user"), "user:" + hash, "user$" + hash, "us$er:" + hash, "user:salt$" + hash + "0",
        "user:salt$" + std::string(64, 'g'), "u:s:alt$" + hash, "u:s$a$" + hash}) {
    EXPECT_FALSE(authentication.AddHashed(text).ok()) << text;
  }
}

int ModeOf(const std::string& path) {
  struct stat facts;
  return stat(path.c_str(), &facts) == 0 ? static_cast<int>(facts.st_mode & 07777) : -1;
}

TEST(RpcCookieTest, IsThereWhileItsServerIs) {
  const testing::TemporaryDirectory directory;
  ProductionEntropy entropy;
  const std::string path = directory.File(".cookie");
  std::set<std::string> seen;
  for (const auto& [readers, mode] :
       {std::pair{CookieReaders::kOwner, 0600}, {CookieReaders::kGroup, 0640}, {CookieReaders::kAll, 0644}}) {
    std::ofstream(path + ".tmp") << "left by a crash";
    {
      const absl::StatusOr<RpcCookie> cookie = RpcCookie::Create(path, readers, entropy);
      ASSERT_TRUE(cookie.ok()) << cookie.status();
      EXPECT_EQ(ModeOf(path), mode);
      EXPECT_TRUE(cookie->credentials().starts_with("__cookie__:"));
      EXPECT_EQ(cookie->credentials().size(), 11u + 64u);
      EXPECT_EQ(*ReadCookie(path), cookie->credentials());
      EXPECT_TRUE(seen.insert(cookie->credentials()).second) << "made anew at every start";
      EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_FALSE(ReadCookie(path).ok());
  }
}

TEST(RpcCookieTest, AnotherServersCookieStays) {
  const testing::TemporaryDirectory directory;
  ProductionEntropy entropy;
  const std::string path = directory.File(".cookie");
  {
    const absl::StatusOr<RpcCookie> first = RpcCookie::Create(path, CookieReaders::kOwner, entropy);
    ASSERT_TRUE(first.ok());
    std::ofstream(path) << "__cookie__:another";
  }
  EXPECT_EQ(*ReadCookie(path), "__cookie__:another");
}

TEST(RpcCookieTest, RefusesWhereItCannotBeWritten) {
  const testing::TemporaryDirectory directory;
  ProductionEntropy entropy;
  const absl::StatusOr<RpcCookie> cookie =
      RpcCookie::Create(directory.File("no/such/.cookie"), CookieReaders::kOwner, entropy);
  ASSERT_FALSE(cookie.ok());
  EXPECT_NE(cookie.status().message().find("-rpccookiefile"), absl::string_view::npos) << cookie.status();
}

}  // namespace
}  // namespace headrace
