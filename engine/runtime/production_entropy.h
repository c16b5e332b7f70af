// Randomness from the kernel.
#pragma once

#include "engine/ports/entropy.h"

namespace headrace {

class ProductionEntropy : public Entropy {
 public:
  void Fill(MutableByteSpan out) override;
};

}  // namespace headrace
