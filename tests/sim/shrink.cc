#include "tests/sim/shrink.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "tests/sim/simulate_options.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

// A world that gets stuck fails too.
constexpr unsigned kSecondsMax = 120;

bool Fails(const WorldOptions& world) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    alarm(kSecondsMax);
    std::freopen("/dev/null", "w", stderr);
    _exit(World(world, false).Run().failure.empty() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

bool Try(WorldOptions& best, const WorldOptions& smaller) {
  if (!Fails(smaller)) return false;
  best = smaller;
  std::printf("still fails: %s\n", ReplayCommand(best).c_str());
  return true;
}

}  // namespace

void Shrink(const WorldOptions& failing) {
  WorldOptions best = failing;
  for (const FaultClassName& fault : kFaultClassNames) {
    if ((best.faults & fault.fault) == 0) continue;
    WorldOptions smaller = best;
    smaller.faults &= ~uint32_t{fault.fault};
    Try(best, smaller);
  }
  while (best.adversaries > 0) {
    WorldOptions smaller = best;
    --smaller.adversaries;
    if (!Try(best, smaller)) break;
  }
  while (best.nodes > 1) {
    WorldOptions smaller = best;
    --smaller.nodes;
    if (!Try(best, smaller)) break;
  }
  // The shortest run that fails: halves, as long as they do.
  for (uint64_t cut = best.ticks / 2; cut > 50;) {
    WorldOptions smaller = best;
    smaller.ticks -= cut;
    if (!Try(best, smaller)) cut /= 2;
    if (cut >= best.ticks) cut = best.ticks / 2;
  }
  std::printf("smallest: %s\n", ReplayCommand(best).c_str());
}

}  // namespace headrace::sim
