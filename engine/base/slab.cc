#include "engine/base/slab.h"

#include <cstring>

namespace headrace {

std::shared_ptr<Slab> Slab::Copy(ByteSpan bytes) {
  auto slab = std::make_shared<Slab>(bytes.size());
  if (!bytes.empty()) std::memcpy(slab->writable().data(), bytes.data(), bytes.size());
  return slab;
}

}  // namespace headrace
