// Options as text: command lines and configuration files, what they set on each network, and what the daemon makes of
// them. No file is opened: the file's text is the input's.
#include "tools/config/settings.h"

#include <algorithm>
#include <set>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/cli/cli_options.h"
#include "tools/config/setting_reader.h"
#include "tools/headraced/options.h"

namespace headrace::fuzz {
namespace {

constexpr std::string_view kChains[] = {"main", "test", "testnet4", "signet", "regtest"};

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    // An argument of a program is a string of C.
    if (line.find('\0') == line.npos) lines.push_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A sentence: one line, not empty, that ends in a full stop.
void RequireSentence(const absl::Status& status) {
  const std::string text(status.message());
  HR_CHECK(!text.empty() && text.back() == '.');
}

void CheckReading(const Settings& settings, const OptionTable& table) {
  for (const std::string_view chain : kChains) {
    SettingReader reader(settings, chain);
    for (const OptionRow& row : table.rows()) {
      for (const SettingValue& value : settings.Find(row.name, chain)) {
        HR_CHECK(!value.origin.empty() && (!value.is_negated || value.text.empty()));
      }
      SettingReader one(settings, chain);
      if (row.kind == OptionKind::kFlag) (void)one.Flag(row.name);
      if (row.kind == OptionKind::kNumber) {
        const auto number = one.Number(row.name);
        HR_CHECK(!number || (*number >= row.minimum && *number <= row.maximum));
      }
      if (!one.status().ok()) RequireSentence(one.status());
    }
    for (const std::string& warning : settings.Warnings(chain)) HR_CHECK(!warning.empty() && warning.back() == '.');
  }
}

void CheckConfigText(std::string_view text, const OptionTable& table) {
  Settings settings(table);
  const absl::Status status = settings.AddConfigText(text, "a file");
  if (!status.ok()) {
    RequireSentence(status);
    HR_CHECK(std::string(status.message()).find("a file line ") != std::string::npos);
    return;
  }
  CheckReading(settings, table);
  // Line ends of another system and a comment at the end change nothing.
  std::string other;
  for (const char c : text) other += c == '\n' ? std::string("\r\n") : std::string(1, c);
  Settings same(table);
  HR_CHECK(same.AddConfigText(other + "\n# end", "a file").ok());
  for (const OptionRow& row : table.rows()) {
    const auto a = settings.Find(row.name, "regtest");
    const auto b = same.Find(row.name, "regtest");
    HR_CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const SettingValue& x, const SettingValue& y) {
      return x.text == y.text && x.is_negated == y.is_negated && x.origin == y.origin;
    }));
  }
}

// Arguments that would make the program look at files of this machine are left out.
bool NamesFiles(const std::string& argument) {
  return argument.find("conf") != std::string::npos || argument.find("datadir") != std::string::npos;
}

void CheckCommandLine(const std::vector<std::string>& lines) {
  std::vector<const char*> arguments{"-noconf", "-datadir=/nowhere"};
  for (const std::string& line : lines) {
    if (!NamesFiles(line)) arguments.push_back(line.c_str());
  }
  const MachineFacts machine{uint64_t{8} << 30, 4, "/home/nobody"};
  const auto daemon = ParseDaemonOptions(arguments, machine);
  if (!daemon.ok()) {
    RequireSentence(daemon.status());
  } else if (daemon->action == DaemonAction::kRun) {
    HR_CHECK(std::find(std::begin(kChains), std::end(kChains), daemon->chain) != std::end(kChains));
    HR_CHECK(daemon->workers >= 1 && daemon->cache_bytes > 0 && daemon->data_directory == "/nowhere");
    HR_CHECK(daemon->network_directory.starts_with("/nowhere"));
    HR_CHECK(!daemon->rpc.bind.empty());
  }
  const auto cli = ParseCliOptions(arguments, machine);
  if (!cli.ok()) {
    RequireSentence(cli.status());
  } else if (cli->action == CliAction::kCall) {
    HR_CHECK(cli->port != 0 && cli->words.size() < arguments.size());
  }
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const uint8_t form = in.U8() % 3;
  const std::string_view text = AsText(in.Take(4000));
  if (form == 0) return CheckConfigText(text, DaemonOptionTable());
  if (form == 1) return CheckConfigText(text, CliOptionTable());
  CheckCommandLine(Lines(text));
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  std::string file = "# all of them\n";
  std::string sections = "[regtest]\n";
  std::string arguments;
  for (const OptionRow& row : DaemonOptionTable().rows()) {
    const std::string name(row.name);
    const std::string value = row.kind == OptionKind::kFlag     ? "1"
                              : row.kind == OptionKind::kNumber ? std::to_string(row.maximum)
                                                                : "127.0.0.1:18444";
    file += name + " = " + value + " # why\n";
    sections += name + "=" + value + "\n";
    arguments = "-" + name + "=" + value + "\n";
    corpus.emplace_back(Bytes{2}).insert(corpus.back().end(), arguments.begin(), arguments.end());
  }
  for (const auto& [form, text] : std::initializer_list<std::pair<uint8_t, std::string>>{
           {0, file},
           {0, sections},
           {1, "rpcuser=u\nrpcpassword=p\n[test]\nrpcport=1\n"},
           {0, "regtest.port=5\nnolisten=1\n"},
           {0, "\xEF\xBB\xBFserver=1\r\n[main]\r\n"},
           {0, "[nowhere]\nconnect=a\n"},
           {0, "connect\n"},
           {2, "-regtest\n-connect=1.2.3.4\n-rpcbind=0.0.0.0:99\n-rpcallowip=10.0.0.0/8\n-debug=net\n-noserver\n"},
           {2, "-signet\n-signetchallenge=51\n-assumevalid=0\n-minimumchainwork=0xff\n-par=-1\n-dbcache=100\n"},
           {2, "-rpcconnect=[::1]:5\n-named\n-rpcwait\ngetblock\nblockhash=00\n"},
           {2, "-nolisten=0\n--help\n"},
           {2, "-rpcauth=u:s$" + std::string(64, 'a') + "\n-rpccookieperms=group\n-logformat=json\n"}}) {
    corpus.emplace_back(Bytes{form}).insert(corpus.back().end(), text.begin(), text.end());
  }
  return corpus;
}

FUZZ_TARGET(settings, 4'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
