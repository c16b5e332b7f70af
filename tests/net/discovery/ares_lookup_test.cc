// c-ares against a DNS server of the test's own, on loopback.
#include "net/discovery/ares_lookup.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "engine/base/endian.h"

namespace headrace {
namespace {

// Answers questions for A and AAAA records over UDP; names that it does not know do not exist, and names that begin with
// "silent" get no answer.
class LoopbackDnsServer {
 public:
  LoopbackDnsServer() : fd_(socket(AF_INET, SOCK_DGRAM, 0)) {
    sockaddr_storage storage;
    const socklen_t size = Address::Ipv4(127, 0, 0, 1, 0).ToSocket(storage);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&storage), size), 0);
    socklen_t bound_size = sizeof(storage);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &bound_size), 0);
    address_ = Address::FromSocket(storage);
    thread_ = std::thread([this] { Serve(); });
  }
  ~LoopbackDnsServer() {
    must_stop_ = true;
    thread_.join();
    close(fd_);
  }
  const Address& address() const { return address_; }
  // Before the first question.
  std::map<std::string, std::vector<Address>> records;

 private:
  static constexpr size_t kHeaderBytes = 12;

  void Serve() {
    while (!must_stop_) {
      pollfd ready{fd_, POLLIN, 0};
      if (poll(&ready, 1, 20) <= 0) continue;
      uint8_t bytes[512];
      sockaddr_storage from;
      socklen_t from_size = sizeof(from);
      const ssize_t size = recvfrom(fd_, bytes, sizeof(bytes), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size < static_cast<ssize_t>(kHeaderBytes)) continue;
      const std::vector<uint8_t> answer = AnswerTo({bytes, bytes + size});
      if (!answer.empty()) sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), from_size);
    }
  }
  std::vector<uint8_t> AnswerTo(const std::vector<uint8_t>& question) const {
    std::string name;
    size_t at = kHeaderBytes;
    while (at < question.size() && question[at] != 0) {
      const size_t end = at + 1 + question[at];
      if (end >= question.size()) return {};
      if (!name.empty()) name += '.';
      name.append(question.begin() + static_cast<ptrdiff_t>(at) + 1, question.begin() + static_cast<ptrdiff_t>(end));
      at = end;
    }
    if (at + 5 > question.size() || name.starts_with("silent")) return {};
    const uint16_t type = LoadBig16(&question[at + 1]);
    std::vector<uint8_t> answer(question.begin(), question.begin() + static_cast<ptrdiff_t>(at) + 5);
    const auto found = records.find(name);
    const bool is_known = found != records.end();
    constexpr uint16_t kTypeA = 1;
    constexpr uint16_t kTypeAaaa = 28;
    uint16_t count = 0;
    for (const Address& address : is_known ? found->second : std::vector<Address>{}) {
      if (type != (address.is_ipv4() ? kTypeA : kTypeAaaa)) continue;
      const uint8_t size = address.is_ipv4() ? 4 : 16;
      // The question's name again, the type, class IN, a minute to live.
      answer.insert(answer.end(), {0xc0, kHeaderBytes, 0, static_cast<uint8_t>(type), 0, 1, 0, 0, 0, 60, 0, size});
      answer.insert(answer.end(), address.ip.end() - size, address.ip.end());
      ++count;
    }
    answer[2] = 0x81;                    // an answer, recursion desired
    answer[3] = is_known ? 0x80 : 0x83;  // recursion available; no such name
    StoreBig16(&answer[6], count);
    StoreBig16(&answer[8], 0);
    StoreBig16(&answer[10], 0);
    return answer;
  }

  const int fd_;
  Address address_;
  std::atomic<bool> must_stop_{false};
  std::thread thread_;
};

class CountingBell final : public Doorbell {
 public:
  void Ring() override {
    const std::lock_guard lock(mutex_);
    ++rings_;
    rung_.notify_all();
  }
  bool WaitFor(int rings) {
    std::unique_lock lock(mutex_);
    return rung_.wait_for(lock, std::chrono::seconds(60), [&] { return rings_ >= rings; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  int rings_ = 0;
};

class AresLookupTest : public ::testing::Test {
 protected:
  std::map<std::string, NameAnswer> AnswersTo(const std::vector<std::string>& names) {
    const auto lookup = AresLookup::Open({server_.address()}, bell_);
    EXPECT_TRUE(lookup.ok()) << lookup.status();
    for (const std::string& name : names) (*lookup)->Ask(name);
    EXPECT_TRUE(bell_.WaitFor(static_cast<int>(names.size())));
    std::map<std::string, NameAnswer> answers;
    for (NameAnswer& answer : (*lookup)->TakeAnswers()) answers[answer.name] = std::move(answer);
    EXPECT_EQ(answers.size(), names.size());
    EXPECT_TRUE((*lookup)->TakeAnswers().empty());
    return answers;
  }

  CountingBell bell_;
  LoopbackDnsServer server_;
};

TEST_F(AresLookupTest, BothKindsOfAddresses) {
  const std::vector<Address> both = {Address::Ipv4(1, 2, 3, 4, 0), Address::Ipv4(5, 6, 7, 8, 0), *ParseNumericHost("2a00::1", 0)};
  server_.records = {{"x9.seed.example", both}, {"old.example", {Address::Ipv4(9, 9, 9, 9, 0)}}};
  const auto answers = AnswersTo({"x9.seed.example", "old.example", "nobody.example"});
  const auto& found = answers.at("x9.seed.example").addresses;
  EXPECT_EQ(std::set<Address>(found.begin(), found.end()), std::set<Address>(both.begin(), both.end()));
  EXPECT_EQ(answers.at("old.example").addresses, std::vector<Address>{Address::Ipv4(9, 9, 9, 9, 0)});
  EXPECT_TRUE(answers.at("nobody.example").addresses.empty());
  EXPECT_FALSE(answers.at("nobody.example").failure.empty());
}

TEST_F(AresLookupTest, NonsenseForANameIsAFailure) {
  const auto answers = AnswersTo({std::string(300, 'a'), ""});
  for (const auto& [name, answer] : answers) {
    EXPECT_TRUE(answer.addresses.empty());
    EXPECT_FALSE(answer.failure.empty());
  }
}

TEST_F(AresLookupTest, AStopDoesNotWaitForAnswers) {
  const auto lookup = AresLookup::Open({server_.address()}, bell_);
  ASSERT_TRUE(lookup.ok());
  for (int i = 0; i < 10; ++i) (*lookup)->Ask("silent" + std::to_string(i) + ".example");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  // Its destructor ends here; were it to wait, the test's time limit would tell.
}

}  // namespace
}  // namespace headrace
