// The thread that a PeerHub runs on in production. The hub waits inside its own Step, so all there is to do is to call
// it until it is told to stop, and then to give the connections a moment to end.
#pragma once

#include <atomic>
#include <thread>

#include "net/peer/peer_hub.h"

namespace headrace {

class ReactorThread {
 public:
  // After the hub's Start. The hub outlives this.
  explicit ReactorThread(PeerHub& hub);
  ~ReactorThread() { Stop(); }
  ReactorThread(const ReactorThread&) = delete;
  ReactorThread& operator=(const ReactorThread&) = delete;

  // Ends every connection and the thread; takes at most about two seconds. May be called again.
  void Stop();

 private:
  void Run();

  PeerHub& hub_;
  std::atomic<bool> must_stop_{false};
  std::thread thread_;
};

}  // namespace headrace
