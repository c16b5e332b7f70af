// Names to addresses, without waiting: ask now, look later. The port behind which a resolver, or a test, stands.
//
// The reactor thread calls; whoever resolves does so elsewhere and rings the reactor's bell when there is an answer.
#pragma once

#include <string>
#include <vector>

#include "net/transport/address.h"

namespace headrace {

struct NameAnswer {
  std::string name;  // as it was asked for
  std::vector<Address> addresses;  // without ports; none when `failure` says why
  std::string failure;
};

class NameLookup {
 public:
  virtual ~NameLookup() = default;
  // Every question is answered, once.
  virtual void Ask(const std::string& name) = 0;
  virtual std::vector<NameAnswer> TakeAnswers() = 0;
};

}  // namespace headrace
