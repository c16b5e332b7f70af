#include "tools/headraced/stop_signals.h"

#include <atomic>
#include <csignal>
#include <initializer_list>

namespace headrace {
namespace {

// Relaxed: flags that a loop looks at a few times a second; nothing else hangs on their order.
std::atomic<bool> g_stop{false};
std::atomic<bool> g_reopen{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from signal handlers");

void OnSignal(int signal) { (signal == SIGHUP ? g_reopen : g_stop).store(true, std::memory_order_relaxed); }

}  // namespace

void InstallStopSignals() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &action, nullptr);
  // A peer that closes its socket is the network's matter, and a file that reaches the process's limit (ulimit -f) is the disk's:
  // both come back as errors of the call, and end nothing by themselves.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

void RequestStop() { g_stop.store(true, std::memory_order_relaxed); }

bool StopWasRequested() { return g_stop.load(std::memory_order_relaxed); }

bool TakeLogReopenRequest() { return g_reopen.exchange(false, std::memory_order_relaxed); }

}  // namespace headrace
