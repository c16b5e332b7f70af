#include "tools/cli/cli_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "net/rpc/rpc_authentication.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"
#include "tools/cli/cli_options.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CliTest : public ::testing::Test {
 protected:
  CliTest() { machine_.home_directory = directory_.path(); }

  CliOptions Good(const std::vector<const char*>& arguments) {
    const absl::StatusOr<CliOptions> options = ParseCliOptions(arguments, machine_);
    EXPECT_TRUE(options.ok()) << options.status();
    return options.ok() ? *options : CliOptions();
  }
  std::string Bad(const std::vector<const char*>& arguments) {
    const absl::StatusOr<CliOptions> options = ParseCliOptions(arguments, machine_);
    EXPECT_FALSE(options.ok());
    return std::string(options.status().message());
  }
  // The exit status; what was printed is in output_ and errors_.
  int Run(const std::vector<const char*>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    const int status = RunCli(arguments, machine_, in, out, err);
    output_ = out.str();
    errors_ = err.str();
    return status;
  }
  void WriteConfig(const std::string& text) {
    std::filesystem::create_directories(directory_.path() + "/.headrace");
    std::ofstream(directory_.path() + "/.headrace/bitcoin.conf") << text;
  }

  testing::TemporaryDirectory directory_;
  MachineFacts machine_;
  std::string output_;
  std::string errors_;
};

TEST_F(CliTest, WordsFollowOptions) {
  const CliOptions options = Good({"-regtest", "-named", "echo", "-arg0=1", "--", "x"});
  EXPECT_TRUE(options.is_named);
  EXPECT_THAT(options.words, ElementsAre("echo", "-arg0=1", "--", "x")) << "what follows the method is not ours";
  EXPECT_EQ(options.port, 18443);
  EXPECT_EQ(options.host, "127.0.0.1");
  EXPECT_EQ(options.cookie_file, directory_.path() + "/.headrace/regtest/.cookie");
}

TEST_F(CliTest, PortsByPrecedence) {
  EXPECT_EQ(Good({"x"}).port, 8332);
  EXPECT_EQ(Good({"-testnet", "x"}).port, 18332);
  EXPECT_EQ(Good({"-testnet4", "x"}).port, 48332);
  EXPECT_EQ(Good({"-signet", "x"}).port, 38332);
  EXPECT_EQ(Good({"-rpcconnect=h:1", "x"}).port, 1);
  EXPECT_EQ(Good({"-rpcconnect=h:1", "-rpcport=2", "x"}).port, 2);
  EXPECT_EQ(Good({"-rpcconnect=[::1]:7", "x"}).host, "::1");
  for (const char* bad :
       {"-rpcconnect=h:0", "-rpcconnect=h:65536", "-rpcconnect=h:x", "-rpcport=0", "-rpcport=x", "-rpcport=65536"}) {
    EXPECT_THAT(Bad({bad, "x"}), HasSubstr(bad)) << bad;
  }
}

TEST_F(CliTest, ReadsTheServersFile) {
  WriteConfig("rpcuser=u\nrpcpassword=p\nregtest=1\ndbcache=5\nlisten=0\n[regtest]\nrpcport=99\n");
  const CliOptions options = Good({"x"});
  EXPECT_EQ(options.user, "u");
  EXPECT_EQ(options.password, "p");
  EXPECT_EQ(options.port, 99);
  EXPECT_THAT(Bad({"-rpcprt=1", "x"}), HasSubstr("-rpcport"));
}

TEST_F(CliTest, RefusalsAndTexts) {
  EXPECT_EQ(Run({}), 1);
  EXPECT_THAT(errors_, StartsWith("Error: "));
  EXPECT_EQ(Run({"-nosuch", "x"}), 1);
  EXPECT_THAT(errors_, StartsWith("Error: there is no option -nosuch"));
  EXPECT_EQ(Run({"getblockhash", "foo"}), 1);
  EXPECT_EQ(errors_, "error: Error parsing JSON: foo\n");
  EXPECT_EQ(Run({"-help"}), 0);
  EXPECT_THAT(output_, HasSubstr("\n  -rpcconnect=HOST[:PORT]\n"));
  EXPECT_EQ(Run({"-version"}), 0);
  EXPECT_THAT(output_, StartsWith("headrace-cli "));
}

TEST_F(CliTest, NoServer) {
  const std::string port = "-rpcport=" + std::to_string(testing::FreePort());
  EXPECT_EQ(Run({port.c_str(), "getblockcount"}), 1);
  EXPECT_THAT(errors_, StartsWith("error: Could not connect to the server 127.0.0.1:"));
  EXPECT_EQ(output_, "");
  EXPECT_EQ(Run({port.c_str(), "-rpcwait", "-rpcwaittimeout=1", "getblockcount"}), 1);
  EXPECT_THAT(errors_, StartsWith("error: timeout on transient error: Could not connect"));
}

TEST_F(CliTest, AServerThatSaysNothing) {
  const testing::OccupiedPort silent;
  const std::string port = "-rpcport=" + std::to_string(silent.port());
  EXPECT_EQ(Run({port.c_str(), "-rpcclienttimeout=1", "getblockcount"}), 1);
  EXPECT_THAT(errors_, HasSubstr("-rpcclienttimeout"));
}

// Answers one request after another, each on a connection of its own, with what `answer` says to its text.
class ScriptedServer {
 public:
  ScriptedServer(int requests, std::function<std::string(const std::string& request)> answer) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, requests, answer] {
      for (int i = 0; i < requests; ++i) {
        const int connection = accept(listener_, nullptr, nullptr);
        if (connection < 0) return;
        std::string request;
        char buffer[4096];
        while (request.find("\"method\"") == std::string::npos) {
          const ssize_t got = recv(connection, buffer, sizeof(buffer), 0);
          if (got <= 0) break;
          request.append(buffer, static_cast<size_t>(got));
        }
        const std::string reply = answer(request);
        send(connection, reply.data(), reply.size(), MSG_NOSIGNAL);
        close(connection);
      }
    });
  }
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  const int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  uint16_t port_ = 0;
  std::thread thread_;
};

TEST_F(CliTest, ACookieThatIsMadeMeanwhileIsTried) {
  const std::string cookie_file = directory_.path() + "/cookie";
  const std::string cookie = "__cookie__:1234";
  const auto answer = [&](const std::string& request) -> std::string {
    if (request.find(BasicAuthorization(cookie)) == std::string::npos) {
      std::ofstream(cookie_file) << cookie;
      return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    }
    const std::string body = R"({"result":7,"error":null,"id":1})";
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  ScriptedServer server(2, answer);
  const std::string port = "-rpcport=" + std::to_string(server.port());
  const std::string file = "-rpccookiefile=" + cookie_file;
  EXPECT_EQ(Run({port.c_str(), file.c_str(), "getblockcount"}), 0) << errors_;
  EXPECT_EQ(output_, "7\n");
}

TEST_F(CliTest, ACookieThatStaysWrongIsTriedOnce) {
  const std::string cookie_file = directory_.path() + "/cookie";
  std::ofstream(cookie_file) << "__cookie__:1";
  std::atomic<int> requests{0};
  const auto answer = [&](const std::string&) -> std::string {
    ++requests;
    return "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  };
  ScriptedServer server(2, answer);
  const std::string port = "-rpcport=" + std::to_string(server.port());
  const std::string file = "-rpccookiefile=" + cookie_file;
  EXPECT_EQ(Run({port.c_str(), file.c_str(), "getblockcount"}), 1);
  EXPECT_THAT(errors_, HasSubstr("Cookie file credentials were invalid"));
  EXPECT_EQ(requests, 1);
}

}  // namespace
}  // namespace headrace
