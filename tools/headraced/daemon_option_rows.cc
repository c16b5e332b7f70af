#include "tools/headraced/options.h"

namespace headrace {
namespace {

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
     "Connect to this peer and to no other that is not named; keep and tell no addresses. -connect=0 makes no outbound "
     "connection.",
     0, 0, true},
    {"addnode", OptionKind::kList, "HOST[:PORT]", "",
     "Connect to this peer, and try again when it is away. Other peers are looked for as well.", 0, 0, true},
    {"seednode", OptionKind::kList, "HOST[:PORT]", "",
     "Ask this node for addresses of others, and leave it. Without effect when -connect is given.", 0, 0, true},
    {"dnsseed", OptionKind::kFlag, "", "1, or 0 with -connect or -onlynet=onion",
     "Ask DNS seeds for addresses when the address book is empty or its peers do not answer."},
    {"forcednsseed", OptionKind::kFlag, "", "0", "Ask DNS seeds at every start."},
    {"fixedseeds", OptionKind::kFlag, "", "1",
     "Try addresses that are written into the program (mainnet alone has some, and they are old) while the address book "
     "is empty and DNS seeds or named nodes have told nothing for a minute; at once when nobody is asked. Without effect "
     "when -connect is given."},
    {"dnsserver", OptionKind::kList, "ADDRESS[:PORT]", "the system's", "Ask this DNS server."},
    {"externalip", OptionKind::kList, "ADDRESS[:PORT]", "",
     "Tell other nodes that this one is reached at this address, numeric or .onion. Addresses of -bind that the internet knows "
     "are told anyway.",
     0, 0, true},
    {"proxy", OptionKind::kText, "ADDRESS[:PORT]", "",
     "Connect to everything on the internet through this SOCKS5 proxy (port 9050), .onion addresses too; names, those of DNS "
     "seeds among them, are resolved by the proxy alone. Machines of this network are connected to directly."},
    {"onlynet", OptionKind::kList, "NETWORK", "ipv4 and ipv6, with -proxy onion too",
     "Choose peers in this network alone: ipv4, ipv6 or onion. Peers that are named are connected to wherever they are."},
    {"port", OptionKind::kNumber, "PORT", "8333, 18333, 48333, 38333 or 18444 by network", "Listen on this TCP port.",
     1, 65535, true},
    {"bind", OptionKind::kList, "ADDRESS[:PORT]", "all addresses", "Listen on this address.", 0, 0, true},
    {"whitebind", OptionKind::kList, "[PERMISSION,...@]ADDRESS[:PORT]", "",
     "Listen on this address too, and allow those who come in there what -whitelist names.", 0, 0, true},
    {"whitelist", OptionKind::kList, "[PERMISSION,...@]RANGE", "",
     "Allow peers from these addresses (1.2.3.4, 1.2.3.0/24) more than others: noban (not discouraged, not evicted for others; "
     "includes download), download (old blocks whatever -maxuploadtarget says), addr (tell addresses at any rate, be answered "
     "from the whole book). relay, forcerelay, mempool and bloomfilter are known and have no effect yet; all is all of them. in "
     "(the default) and out say whether those are meant that come or those that -connect and -addnode name. Without a "
     "list: noban, relay and mempool."},
    {"maxuploadtarget", OptionKind::kText, "N[kKmMgGtT]", "0",
     "Send about this much within 24 hours, in MiB or in the unit of the letter (small ones are powers of 1000): near it blocks "
     "older than a week are not served. New blocks always are. 0 is no target."},
    {"listen", OptionKind::kFlag, "", "1, or 0 when -connect or -proxy is given", "Accept connections."},
    {"maxconnections", OptionKind::kNumber, "N", "125",
     "The most connections at a time. Eleven are for peers that the node chooses; those of -addnode are not counted.", 0, 1000},
    {"maxblocksintransit", OptionKind::kNumber, "N", "16", "The most blocks requested from one peer at a time.", 1,
     1024},
    {"sync", OptionKind::kText, "HOW", "headers",
     "How peers are asked for the chain: headers, or inventory (getblocks and inv, as before headers came first: from one peer at a "
     "time, and without regard to -minimumchainwork)."},
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
     "as soon as the one before is published. Unless it is given, less than 64 MiB of new blocks wait for up to a day.", 0, 86'400},
    {"server", OptionKind::kFlag, "", "1", "Accept commands over JSON-RPC."},
    {"rpcport", OptionKind::kNumber, "PORT", "8332, 18332, 48332, 38332 or 18443 by network",
     "Listen for JSON-RPC on this TCP port.", 1, 65535, true},
    {"rpcbind", OptionKind::kList, "ADDRESS[:PORT]", "127.0.0.1 and ::1",
     "Listen for JSON-RPC on this address. Without -rpcallowip it takes no effect. Never open it to the internet: what "
     "is said there "
     "is not encrypted.",
     0, 0, true},
    {"rpcallowip", OptionKind::kList, "RANGE", "this machine alone",
     "Serve JSON-RPC to these addresses too: 1.2.3.4, 1.2.3.0/24, 1.2.3.0/255.255.255.0 or IPv6 alike."},
    {"rpcuser", OptionKind::kText, "NAME", "", "User of JSON-RPC, with -rpcpassword."},
    {"rpcpassword", OptionKind::kText, "PASSWORD", "",
     "Password of JSON-RPC. Without one a cookie file is made at every start."},
    {"rpcauth", OptionKind::kList, "USER:SALT$HASH", "",
     "Another user of JSON-RPC; HASH is the HMAC-SHA256 of the password in hex, SALT its key."},
    {"rpccookiefile", OptionKind::kText, "FILE", ".cookie",
     "Where the cookie is written; a relative path starts at the network's directory. -norpccookiefile makes none."},
    {"rpccookieperms", OptionKind::kText, "WHO", "owner", "Who may read the cookie: owner, group or all."},
    {"rpcthreads", OptionKind::kNumber, "N", "4", "Threads that answer JSON-RPC.", 1, 256},
    {"rpcworkqueue", OptionKind::kNumber, "N", "64", "The most requests that wait for one of them.", 1, 65536},
    {"rpcservertimeout", OptionKind::kNumber, "SECONDS", "30", "How long a client may take over a request.", 1, 86'400},
    {"debug", OptionKind::kList, "CATEGORY", "",
     "Log in detail: node, net, sync, validation, coins, blocks, disk, rpc; 1 or all for every category, 0 or none for "
     "no "
     "category."},
    {"logformat", OptionKind::kText, "KIND", "text", "How log lines are written: text or json."},
    {"printtoconsole", OptionKind::kFlag, "", "1 when the output is no terminal",
     "Write the log to the standard output too. On a terminal a progress bar stands there otherwise."},
    {"profile", OptionKind::kText, "FILE", "",
     "Write what every thread did when to this file when the node stops, as a trace for chrome://tracing or ui.perfetto.dev; at most "
     "a million entries of each thread, 24 bytes of memory each."},
    {"summaryfile", OptionKind::kText, "FILE", "",
     "Write the summary of the run to this file as JSON when the node stops."},
};

constexpr std::string_view kUsage =
    "Usage: headraced [-name=value]...\n\n"
    "A flag is set by its bare name and cleared by -noNAME. Options may also stand, without the dash, in\n"
    "the configuration file, for one network in its section [main], [test], [testnet4], [signet] or\n"
    "[regtest]. The command line wins.\n";

}  // namespace

const OptionTable& DaemonOptionTable() {
  static constexpr OptionTable kTable("headraced", "a headless Bitcoin full node", kUsage, kOptions);
  return kTable;
}

}  // namespace headrace
