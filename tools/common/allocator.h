// The allocator that every program links, as a node wants it.
#pragma once

namespace headrace {

// Pages whose memory was freed go back to the system at once instead of a little later: blocks come and go by the
// megabyte, and what waits to be given back counts like what is in use. It costs page faults, where the memory would have been
// used again. An environment that sets the delay (MIMALLOC_DECOMMIT_DELAY, or MIMALLOC_PURGE_DELAY from mimalloc 2.1 on) is
// obeyed. Before threads are started. Does nothing where a sanitizer has brought its own allocator.
void ReturnFreedMemoryAtOnce();

}  // namespace headrace
