// A chain of headers as a vector: the simplest Ancestry.
#pragma once

#include <vector>

#include "engine/consensus/ancestry.h"

namespace headrace::testing {

class VectorAncestry final : public Ancestry {
 public:
  VectorAncestry() = default;
  explicit VectorAncestry(std::vector<HeaderFacts> facts) : facts_(std::move(facts)) {}

  // `count` headers, `spacing_s` apart.
  static VectorAncestry Even(uint32_t count, uint32_t first_time_s, uint32_t spacing_s, uint32_t bits) {
    VectorAncestry chain;
    for (uint32_t i = 0; i < count; ++i) chain.Push({first_time_s + i * spacing_s, bits, 4});
    return chain;
  }

  void Push(const HeaderFacts& facts) { facts_.push_back(facts); }
  HeaderFacts& operator[](uint32_t height) { return facts_[height]; }

  uint32_t height() const override { return static_cast<uint32_t>(facts_.size() - 1); }
  HeaderFacts At(uint32_t height) const override { return facts_.at(height); }

 private:
  std::vector<HeaderFacts> facts_;
};

}  // namespace headrace::testing
