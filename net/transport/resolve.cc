#include "net/transport/resolve.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace headrace {

absl::StatusOr<std::vector<Address>> ResolveHost(const HostPort& target) {
  if (const std::optional<Address> numeric = ParseNumericHost(target.host, target.port)) {
    return std::vector<Address>{*numeric};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(target.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("Cannot find the address of ", target.host, ": ", gai_strerror(error),
                                               ". Check the name, or give a numeric address."));
  }
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage storage{};
    if (entry->ai_addrlen > sizeof(storage)) continue;
    std::memcpy(&storage, entry->ai_addr, entry->ai_addrlen);
    Address address = Address::FromSocket(storage);
    address.port = target.port;
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  freeaddrinfo(found);
  if (addresses.empty()) {
    return absl::NotFoundError(absl::StrCat("The name ", target.host, " has no internet address. Give a numeric one."));
  }
  return addresses;
}

}  // namespace headrace
