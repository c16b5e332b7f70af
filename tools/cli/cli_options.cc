#include "tools/cli/cli_options.h"

#include <optional>
#include <string_view>

#include "engine/base/status_macros.h"
#include "net/rpc/rpc_cookie.h"
#include "tools/config/operator_files.h"
#include "tools/config/setting_reader.h"

namespace headrace {
namespace {

constexpr int64_t kSecondsMax = 2'147'483'647;

constexpr OptionRow kOptions[] = {
    {"help", OptionKind::kFlag, "", "",
     "Print this text and exit. \"headrace-cli help\" asks the server for its methods."},
    {"version", OptionKind::kFlag, "", "", "Print the version and exit."},
    {"conf", OptionKind::kText, "FILE", "bitcoin.conf", "Configuration file; a relative path starts at -datadir."},
    {"includeconf", OptionKind::kList, "FILE", "",
     "Read a further configuration file; a relative path starts at -datadir. Only inside a configuration file."},
    {"datadir", OptionKind::kText, "DIR", "~/.headrace", "Data directory of the server."},
    {"chain", OptionKind::kText, "NAME", "main", "Network: main, test, testnet4, signet or regtest."},
    {"regtest", OptionKind::kFlag, "", "", "The same as -chain=regtest."},
    {"testnet", OptionKind::kFlag, "", "", "The same as -chain=test."},
    {"testnet4", OptionKind::kFlag, "", "", "The same as -chain=testnet4."},
    {"signet", OptionKind::kFlag, "", "", "The same as -chain=signet."},
    {"rpcconnect", OptionKind::kText, "HOST[:PORT]", "127.0.0.1", "Where the server is."},
    {"rpcport", OptionKind::kNumber, "PORT", "8332, 18332, 48332, 38332 or 18443 by network", "Port of the server.", 1,
     65535, true},
    {"rpcuser", OptionKind::kText, "NAME", "", "User, with -rpcpassword."},
    {"rpcpassword", OptionKind::kText, "PASSWORD", "", "Password. Without one the server's cookie is used."},
    {"rpccookiefile", OptionKind::kText, "FILE", ".cookie",
     "Where the server's cookie is; a relative path starts at the network's directory."},
    {"rpcclienttimeout", OptionKind::kNumber, "SECONDS", "900", "How long to wait for an answer. 0 is for ever.", 0,
     kSecondsMax},
    {"rpcwait", OptionKind::kFlag, "", "0", "Wait for the server to start."},
    {"rpcwaittimeout", OptionKind::kNumber, "SECONDS", "0", "How long -rpcwait waits. 0 is for ever.", 0, kSecondsMax},
    {"stdin", OptionKind::kFlag, "", "0", "Read further arguments from the standard input, one a line, up to its end."},
    {"stdinrpcpass", OptionKind::kFlag, "", "0", "Read the password from the first line of the standard input."},
    {"named", OptionKind::kFlag, "", "0", "Arguments are NAME=VALUE; those that are not keep their positions."},
};

constexpr std::string_view kUsage =
    "Usage: headrace-cli [-name=value]... METHOD [ARGUMENT]...\n"
    "       headrace-cli [-name=value]... -named METHOD [NAME=VALUE]...\n"
    "       headrace-cli help [METHOD]\n\n"
    "Calls a method of a running headraced and prints its answer. The exit status is 0, the number of the\n"
    "server's error code without its sign, or 1 when no answer came.\n";

}  // namespace

const OptionTable& CliOptionTable() {
  static constexpr OptionTable kTable("headrace-cli", "a client of headraced's JSON-RPC", kUsage, kOptions);
  return kTable;
}

absl::StatusOr<CliOptions> ParseCliOptions(std::span<const char* const> arguments, const MachineFacts& machine) {
  CliOptions options;
  Settings settings(CliOptionTable());
  HR_ASSIGN_OR_RETURN(const size_t count, settings.AddLeadingOptions(arguments));
  options.words.assign(arguments.begin() + static_cast<ptrdiff_t>(count), arguments.end());
  SettingReader command_line(settings, "");
  if (command_line.Flag("help").value_or(false)) options.action = CliAction::kPrintHelp;
  if (command_line.Flag("version").value_or(false)) options.action = CliAction::kPrintVersion;
  HR_RETURN_IF_ERROR(command_line.status());
  if (options.action != CliAction::kCall) return options;

  HR_ASSIGN_OR_RETURN(const OperatorPlace place, ReadOperatorFiles(settings, machine));
  options.config_file = place.config_file;
  SettingReader reader(settings, place.network->chain);
  options.port = place.network->rpc_port;
  if (const std::optional<SettingValue> connect = reader.One("rpcconnect"); connect && !connect->is_negated) {
    const std::optional<HostPort> parsed = ParseHostPort(connect->text, options.port);
    if (!parsed) return Complaint("rpcconnect", *connect, "write HOST or HOST:PORT with a port from 1 to 65535");
    options.host = parsed->host;
    options.port = parsed->port;
  }
  options.port = static_cast<uint16_t>(reader.Number("rpcport").value_or(options.port));
  options.user = reader.Text("rpcuser");
  options.password = reader.Text("rpcpassword");
  const std::optional<SettingValue> cookie = reader.One("rpccookiefile");
  if (!cookie || !cookie->is_negated) {
    options.cookie_file =
        PathUnder(place.network_directory, cookie && !cookie->text.empty() ? cookie->text : kCookieFileName);
  }
  options.client_timeout_s = reader.Number("rpcclienttimeout").value_or(options.client_timeout_s);
  options.waits = reader.Flag("rpcwait").value_or(false);
  options.wait_timeout_s = reader.Number("rpcwaittimeout").value_or(0);
  options.reads_words = reader.Flag("stdin").value_or(false);
  options.reads_password = reader.Flag("stdinrpcpass").value_or(false);
  options.is_named = reader.Flag("named").value_or(false);
  HR_RETURN_IF_ERROR(reader.status());
  return options;
}

}  // namespace headrace
