#include "net/transport/socks5_dialogue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"

namespace headrace {
namespace {

constexpr uint8_t kSocksVersion = 5;
constexpr uint8_t kPasswordVersion = 1;
constexpr uint8_t kMethodNone = 0;
constexpr uint8_t kMethodPassword = 2;
constexpr uint8_t kCommandConnect = 1;
constexpr uint8_t kTypeIpv4 = 1;
constexpr uint8_t kTypeName = 3;
constexpr uint8_t kTypeIpv6 = 4;
constexpr size_t kNameBytesMax = 255;
constexpr size_t kPortBytes = 2;
// Version, code, a reserved byte, the type of an address: what every reply begins with.
constexpr size_t kReplyHeadBytes = 4;

std::string ReplyText(uint8_t code) {
  switch (code) {
    case 1: return "general failure";
    case 2: return "not allowed by its rules";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "time to live expired";
    case 7: return "command not supported";
    case 8: return "kind of address not supported";
    default: return absl::StrCat("reply ", int{code});
  }
}

}  // namespace

Socks5Dialogue::Socks5Dialogue(HostPort target, uint64_t credential)
    : target_(std::move(target)), credential_(credential) {}

void Socks5Dialogue::Fail(std::string why) {
  step_ = Step::kFailed;
  failure_ = std::move(why);
}

std::vector<uint8_t> Socks5Dialogue::Begin() {
  if (target_.host.empty() || target_.host.size() > kNameBytesMax) {
    Fail("a proxy cannot be told a name of this length");
    return {};
  }
  return {kSocksVersion, 2, kMethodNone, kMethodPassword};
}

size_t Socks5Dialogue::WordBytes() const {
  if (step_ != Step::kReply) return 2;
  if (word_.size() <= kReplyHeadBytes) return kReplyHeadBytes + 1;
  switch (word_[3]) {
    case kTypeIpv4: return kReplyHeadBytes + 4 + kPortBytes;
    case kTypeIpv6: return kReplyHeadBytes + 16 + kPortBytes;
    default: return kReplyHeadBytes + 1 + word_[kReplyHeadBytes] + kPortBytes;
  }
}

size_t Socks5Dialogue::Consume(ByteSpan bytes, std::vector<uint8_t>& answer) {
  size_t consumed = 0;
  while (consumed < bytes.size() && step_ != Step::kDone && step_ != Step::kFailed) {
    const size_t count = std::min(WordBytes() - word_.size(), bytes.size() - consumed);
    const ByteSpan taken = bytes.subspan(consumed, count);
    word_.insert(word_.end(), taken.begin(), taken.end());
    consumed += count;
    // A refusal is a refusal, whatever address a proxy thinks it should name with it.
    const bool is_refusal = step_ == Step::kReply && word_.size() >= 2 && (word_[0] != kSocksVersion || word_[1] != 0);
    if (is_refusal || word_.size() == WordBytes()) OnWord(answer);
  }
  return consumed;
}

void Socks5Dialogue::OnWord(std::vector<uint8_t>& answer) {
  const std::vector<uint8_t> word = std::exchange(word_, {});
  switch (step_) {
    case Step::kMethod:
      if (word[0] != kSocksVersion) return Fail("what is at the proxy's address does not speak SOCKS5");
      if (word[1] == kMethodPassword) {
        step_ = Step::kPassword;
        return AppendPassword(answer);
      }
      if (word[1] != kMethodNone) return Fail("the proxy wants to know who asks in a way that is not known here");
      step_ = Step::kReply;
      return AppendRequest(answer);
    case Step::kPassword:
      if (word[0] != kPasswordVersion || word[1] != 0) return Fail("the proxy wants a password");
      step_ = Step::kReply;
      return AppendRequest(answer);
    case Step::kReply: {
      if (word[0] != kSocksVersion) return Fail("what is at the proxy's address does not speak SOCKS5");
      if (word[1] != 0) return Fail(absl::StrCat("the proxy says: ", ReplyText(word[1])));
      const uint8_t type = word[3];
      if (type != kTypeIpv4 && type != kTypeIpv6 && type != kTypeName) return Fail("the proxy's reply is malformed");
      step_ = Step::kDone;
      return;
    }
    case Step::kDone:
    case Step::kFailed: return;
  }
}

void Socks5Dialogue::AppendPassword(std::vector<uint8_t>& answer) const {
  const std::string name = absl::StrCat(absl::Hex(credential_, absl::kZeroPad16));
  answer.push_back(kPasswordVersion);
  // As the name, so the password.
  for (int i = 0; i < 2; ++i) {
    answer.push_back(static_cast<uint8_t>(name.size()));
    answer.insert(answer.end(), name.begin(), name.end());
  }
}

void Socks5Dialogue::AppendRequest(std::vector<uint8_t>& answer) const {
  answer.insert(answer.end(), {kSocksVersion, kCommandConnect, 0});
  if (const std::optional<Address> numeric = ParseNumericHost(target_.host, target_.port)) {
    const size_t size = numeric->is_ipv4() ? 4 : 16;
    answer.push_back(numeric->is_ipv4() ? kTypeIpv4 : kTypeIpv6);
    answer.insert(answer.end(), numeric->ip.end() - static_cast<ptrdiff_t>(size), numeric->ip.end());
  } else {
    answer.push_back(kTypeName);
    answer.push_back(static_cast<uint8_t>(target_.host.size()));
    answer.insert(answer.end(), target_.host.begin(), target_.host.end());
  }
  answer.resize(answer.size() + kPortBytes);
  StoreBig16(&answer[answer.size() - kPortBytes], target_.port);
}

}  // namespace headrace
