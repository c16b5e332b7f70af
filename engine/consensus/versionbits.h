// BIP9: soft forks that miners signal for with bits of a header's version. Pure functions of a chain of headers; the
// state is the same for a whole period, so callers who ask often remember it by the period's first parent.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/consensus/ancestry.h"
#include "engine/consensus/deployment.h"

namespace headrace {

enum class DeploymentState : uint8_t { kDefined, kStarted, kLockedIn, kActive, kFailed };

// "defined", "started", "locked_in", "active", "failed".
std::string_view DeploymentStateName(DeploymentState state);

// A header's version signals when its top three bits are 001 and the deployment's bit is set.
bool Signals(int32_t version, const Deployment& deployment);

struct DeploymentStatus {
  DeploymentState state = DeploymentState::kDefined;
  // The first height at which it was in this state; 0 for kDefined.
  uint32_t since_height = 0;
};

// For the block after `parent_chain`'s tip. Costs one header a period since the start time, and whole periods while
// signals are counted.
DeploymentStatus DeploymentStatusAfter(const Ancestry& parent_chain, const Deployment& deployment);

struct DeploymentCount {
  uint32_t elapsed = 0;  // blocks of the period so far, the tip's own included
  uint32_t count = 0;    // of these, how many signalled
  bool possible = false;  // the threshold can still be reached
  std::vector<bool> signalling;  // one a block of the period so far
};

// Over the period that `chain`'s tip is in.
DeploymentCount CountSignals(const Ancestry& chain, const Deployment& deployment);

// The version for a block to build after `parent_chain`: BIP9's top bits and every deployment that is started or locked
// in.
int32_t BlockVersionAfter(const Ancestry& parent_chain, const std::vector<Deployment>& deployments);

}  // namespace headrace
