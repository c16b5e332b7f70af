#include "engine/runtime/production_entropy.h"

#include <cerrno>
#include <sys/random.h>

#include "engine/base/check.h"

namespace headrace {

void ProductionEntropy::Fill(MutableByteSpan out) {
  size_t filled = 0;
  while (filled < out.size()) {
    const ssize_t got = getrandom(out.data() + filled, out.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    HR_CHECK(got > 0);
    filled += static_cast<size_t>(got);
  }
}

}  // namespace headrace
