#include "net/discovery/dns_seeds.h"

namespace headrace {

std::vector<std::string> DnsSeedsOf(std::string_view chain) {
  if (chain == "main") {
    return {"seed.bitcoin.sipa.be",          "dnsseed.bluematt.me",       "seed.bitcoin.jonasschnelli.ch",
            "seed.btc.petertodd.net",        "seed.bitcoin.sprovoost.nl", "dnsseed.emzy.de",
            "seed.bitcoin.wiz.biz",          "seed.mainnet.achownodes.xyz"};
  }
  if (chain == "test") {
    return {"testnet-seed.bitcoin.jonasschnelli.ch", "seed.tbtc.petertodd.net", "seed.testnet.bitcoin.sprovoost.nl",
            "testnet-seed.bluematt.me", "seed.testnet.achownodes.xyz"};
  }
  if (chain == "testnet4") return {"seed.testnet4.bitcoin.sprovoost.nl", "seed.testnet4.wiz.biz"};
  if (chain == "signet") return {"seed.signet.bitcoin.sprovoost.nl", "seed.signet.achownodes.xyz"};
  return {"seed.regtest.invalid"};
}

}  // namespace headrace
