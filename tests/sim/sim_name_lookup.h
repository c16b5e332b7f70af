// DNS of a simulated world: one server that knows who is where, and what each node asks it through. One thread.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "net/discovery/name_lookup.h"
#include "tests/sim/sim_clock.h"

namespace headrace::sim {

// Answers to a name, as of now; none when there is no such name.
using SimNameServer = std::function<std::vector<Address>(const std::string& name)>;

class SimNameLookup final : public NameLookup {
 public:
  SimNameLookup(SimNameServer server, SimClock& clock) : server_(std::move(server)), clock_(clock) {}

  void Ask(const std::string& name) override {
    constexpr int64_t kAnswerNs = 100 * kNsPerMs;
    asked_.push_back(name);
    under_way_.push_back({name, clock_.now_ns() + kAnswerNs});
  }
  std::vector<NameAnswer> TakeAnswers() override {
    std::vector<NameAnswer> answers;
    while (!under_way_.empty() && under_way_.front().second <= clock_.now_ns()) {
      const std::string name = under_way_.front().first;
      under_way_.erase(under_way_.begin());
      std::vector<Address> addresses = server_(name);
      answers.push_back({name, addresses, addresses.empty() ? "no such name" : ""});
    }
    return answers;
  }
  // Every question so far.
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  const SimNameServer server_;
  SimClock& clock_;
  std::vector<std::pair<std::string, int64_t>> under_way_;
  std::vector<std::string> asked_;
};

}  // namespace headrace::sim
