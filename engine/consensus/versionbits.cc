#include "engine/consensus/versionbits.h"

#include <algorithm>

namespace headrace {

namespace {

constexpr uint32_t kTopMask = 0xe0000000;
constexpr uint32_t kTopBits = 0x20000000;

uint32_t CountInPeriod(const Ancestry& chain, uint32_t last_height, const Deployment& deployment) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < deployment.period; ++i) count += Signals(chain.At(last_height - i).version, deployment);
  return count;
}

// The state of the period that follows `last_height`, the last block of one whose state was `state`.
DeploymentState Next(DeploymentState state, const Ancestry& chain, uint32_t last_height, const Deployment& deployment) {
  switch (state) {
    case DeploymentState::kDefined:
      return chain.median_time_past(last_height) >= deployment.start_time_s ? DeploymentState::kStarted : state;
    case DeploymentState::kStarted:
      if (CountInPeriod(chain, last_height, deployment) >= deployment.threshold) return DeploymentState::kLockedIn;
      return chain.median_time_past(last_height) >= deployment.timeout_s ? DeploymentState::kFailed : state;
    case DeploymentState::kLockedIn:
      return last_height + 1 >= deployment.min_activation_height ? DeploymentState::kActive : state;
    case DeploymentState::kActive:
    case DeploymentState::kFailed:
      return state;
  }
  return state;
}

}  // namespace

std::string_view DeploymentStateName(DeploymentState state) {
  switch (state) {
    case DeploymentState::kDefined: return "defined";
    case DeploymentState::kStarted: return "started";
    case DeploymentState::kLockedIn: return "locked_in";
    case DeploymentState::kActive: return "active";
    case DeploymentState::kFailed: return "failed";
  }
  return "unknown";
}

bool Signals(int32_t version, const Deployment& deployment) {
  const uint32_t bits = static_cast<uint32_t>(version);
  return (bits & kTopMask) == kTopBits && (bits >> deployment.bit & 1) != 0;
}

DeploymentStatus DeploymentStatusAfter(const Ancestry& parent_chain, const Deployment& deployment) {
  if (deployment.start_time_s == Deployment::kAlwaysActive) return {DeploymentState::kActive, 0};
  if (deployment.start_time_s == Deployment::kNeverActive) return {DeploymentState::kFailed, 0};
  const uint32_t periods = (parent_chain.height() + 1) / deployment.period;
  DeploymentStatus status;
  for (uint32_t period = 1; period <= periods; ++period) {
    const uint32_t first_height = period * deployment.period;
    const DeploymentState next = Next(status.state, parent_chain, first_height - 1, deployment);
    if (next != status.state) status = {next, first_height};
    if (status.state == DeploymentState::kActive || status.state == DeploymentState::kFailed) break;
  }
  return status;
}

DeploymentCount CountSignals(const Ancestry& chain, const Deployment& deployment) {
  DeploymentCount result;
  const uint32_t first_height = chain.height() - chain.height() % deployment.period;
  for (uint32_t height = first_height; height <= chain.height(); ++height) {
    const bool signals = Signals(chain.At(height).version, deployment);
    result.signalling.push_back(signals);
    result.count += signals;
  }
  result.elapsed = static_cast<uint32_t>(result.signalling.size());
  result.possible = deployment.period - deployment.threshold >= result.elapsed - result.count;
  return result;
}

int32_t BlockVersionAfter(const Ancestry& parent_chain, const std::vector<Deployment>& deployments) {
  uint32_t version = kTopBits;
  for (const Deployment& deployment : deployments) {
    const DeploymentState state = DeploymentStatusAfter(parent_chain, deployment).state;
    if (state == DeploymentState::kStarted || state == DeploymentState::kLockedIn) version |= 1u << deployment.bit;
  }
  return static_cast<int32_t>(version);
}

}  // namespace headrace
