#include "tools/common/allocator.h"

#ifdef HEADRACE_MIMALLOC
#include <mimalloc.h>
#endif

namespace headrace {

void ReturnFreedMemoryAtOnce() {
#ifdef HEADRACE_MIMALLOC
#if MI_MALLOC_VERSION >= 210
  mi_option_set_default(mi_option_purge_delay, 0);
#else
  mi_option_set_default(mi_option_decommit_delay, 0);
#endif
#endif
}

}  // namespace headrace
