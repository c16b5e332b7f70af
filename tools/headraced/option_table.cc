#include "tools/headraced/option_table.h"

#include <algorithm>
#include <vector>

#include "tools/headraced/text.h"


#ifndef HEADRACE_VERSION
#error "the build passes HEADRACE_VERSION"
#endif

namespace headrace {
namespace {

constexpr size_t kHelpWidth = 96;
constexpr int64_t kHeightMax = 2'147'483'647;

constexpr OptionRow kOptions[] = {
    {"help", OptionKind::kFlag, "", "", "Print this text and exit."},
    {"version", OptionKind::kFlag, "", "", "Print the version and exit."},
    {"conf", OptionKind::kText, "FILE", "bitcoin.conf", "Configuration file; a relative path starts at -datadir."},
    {"includeconf", OptionKind::kList, "FILE", "",
     "Read a further configuration file; a relative path starts at -datadir. Only inside a configuration file."},
    {"datadir", OptionKind::kText, "DIR", "~/.headrace",
     "Data directory. Every network except main has its own folder in it."},
    {"chain", OptionKind::kText, "NAME", "main", "Network: main, test, testnet4, signet or regtest."},
    {"regtest", OptionKind::kFlag, "", "", "The same as -chain=regtest."},
    {"testnet", OptionKind::kFlag, "", "", "The same as -chain=test."},
    {"testnet4", OptionKind::kFlag, "", "", "The same as -chain=testnet4."},
    {"signet", OptionKind::kFlag, "", "", "The same as -chain=signet."},
    {"signetchallenge", OptionKind::kText, "HEX", "the default signet's",
     "Script that blocks of the signet must satisfy (BIP325). Only with -signet."},
    {"connect", OptionKind::kList, "HOST[:PORT]", "",
     "Connect to this peer and to no other that is not named the same way. -connect=0 makes no outbound connection.", 0,
     0, true},
    {"port", OptionKind::kNumber, "PORT", "8333, 18333, 48333, 38333 or 18444 by network",
     "Listen on this TCP port.", 1, 65535, true},
    {"bind", OptionKind::kList, "ADDRESS[:PORT]", "all addresses", "Listen on this address.", 0, 0, true},
    {"listen", OptionKind::kFlag, "", "1, or 0 when -connect is given",
     "Accept connections."},
    {"maxconnections", OptionKind::kNumber, "N", "125", "The most connections at a time.", 0, 1000},
    {"maxblocksintransit", OptionKind::kNumber, "N", "16", "The most blocks requested from one peer at a time.", 1, 1024},
    {"nettransport", OptionKind::kText, "KIND", "auto",
     "How sockets are driven: io_uring, epoll, or auto (io_uring where the kernel offers it)."},
    {"loadblock", OptionKind::kList, "FILE", "", "Import blocks from this file at start."},
    {"assumevalid", OptionKind::kText, "HASH", "by network",
     "Skip the scripts of this block's ancestors when enough work stands above it. 0 verifies every script."},
    {"minimumchainwork", OptionKind::kText, "HEX", "by network",
     "Download no blocks of a chain whose headers show less work than this."},
    {"reindex", OptionKind::kFlag, "", "0",
     "Rebuild the block index and the unspent set from the block files. A rebuild that is stopped goes on at the next "
     "start without this option."},
    {"reindex-chainstate", OptionKind::kFlag, "", "0",
     "Rebuild the unspent set from the indexed blocks, for this start only."},
    {"stopatheight", OptionKind::kNumber, "HEIGHT", "0", "Stop after applying the block at this height. 0 is off.", 0,
     kHeightMax},
    {"par", OptionKind::kNumber, "N", "0",
     "Worker threads for validation. 0 is one for each core; a negative number leaves that many cores free.", -1024,
     1024},
    {"dbcache", OptionKind::kNumber, "MIB", "half of the available memory, 256 to 16384",
     "Memory for the coin store, in MiB.", 4, 16'777'216},
    {"filebackend", OptionKind::kText, "KIND", "auto",
     "How files are read and written: io_uring, pread, or auto (io_uring where the kernel offers it)."},
    {"checkpointinterval", OptionKind::kNumber, "SECONDS", "60",
     "Seconds between checkpoints of the coin store; what came after the last one is replayed after a crash. 0 begins each "
     "as soon as the one before is published.", 0, 86'400},
    {"debug", OptionKind::kList, "CATEGORY", "",
     "Log in detail: node, net, sync, validation, coins, blocks, disk; 1 or all for every category, 0 or none for no "
     "category."},
    {"logformat", OptionKind::kText, "KIND", "text", "How log lines are written: text or json."},
    {"printtoconsole", OptionKind::kFlag, "", "1 when the output is no terminal",
     "Write the log to the standard output too. On a terminal a progress bar stands there otherwise."},
    {"summaryfile", OptionKind::kText, "FILE", "",
     "Write the summary of the run to this file as JSON when the node stops."},
};

// Optimal string alignment distance; names are short, so the quadratic table costs nothing.
size_t EditDistance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<size_t> cells((a.size() + 1) * width);
  auto at = [&](size_t row, size_t column) -> size_t& { return cells[row * width + column]; };
  for (size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = at(i - 1, j - 1) + (a[i - 1] != b[j - 1] ? 1 : 0);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

// Appends `text` in lines of at most kHelpWidth characters, each indented by six.
void AppendWrapped(std::string_view text, std::string& to) {
  while (!text.empty()) {
    size_t length = text.size();
    if (length > kHelpWidth) {
      length = text.rfind(' ', kHelpWidth);
      if (length == std::string_view::npos) length = kHelpWidth;
    }
    Append(to, "      ", text.substr(0, length), "\n");
    text.remove_prefix(length);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
}

}  // namespace

std::span<const OptionRow> OptionTable() { return kOptions; }

const OptionRow* FindOption(std::string_view name) {
  const auto row = std::find_if(std::begin(kOptions), std::end(kOptions),
                                [&](const OptionRow& candidate) { return candidate.name == name; });
  return row == std::end(kOptions) ? nullptr : row;
}

std::string_view NearestOption(std::string_view name) {
  return std::min_element(std::begin(kOptions), std::end(kOptions),
                          [&](const OptionRow& a, const OptionRow& b) {
                            return EditDistance(name, a.name) < EditDistance(name, b.name);
                          })
      ->name;
}

std::string HelpText() {
  std::string text = VersionText();
  Append(text, "\nUsage: headraced [-name=value]...\n\n"
                  "A flag is set by its bare name and cleared by -noNAME. Options may also stand, without the dash, in\n"
                  "the configuration file, for one network in its section [main], [test], [testnet4], [signet] or\n"
                  "[regtest]. The command line wins.\n\n");
  for (const OptionRow& row : kOptions) {
    Append(text, "  -", row.name, row.placeholder.empty() ? "" : "=", row.placeholder, "\n");
    std::string help(row.help);
    if (row.kind == OptionKind::kList) help += " May be repeated.";
    if (!row.default_text.empty()) Append(help, " Default: ", row.default_text, ".");
    AppendWrapped(help, text);
  }
  return text;
}

std::string VersionText() {
  return Concat("headraced ", HEADRACE_VERSION, ", a headless Bitcoin full node\n");
}

}  // namespace headrace
