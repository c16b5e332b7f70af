#include "tests/fuzz/fuzz_target.h"

#include <algorithm>
#include <cstring>
#include <memory>

namespace headrace::fuzz {
namespace {

std::vector<FuzzTarget>& Registry() {
  static std::vector<FuzzTarget> targets;
  return targets;
}

}  // namespace

TargetRegistration::TargetRegistration(const FuzzTarget& target) { Registry().push_back(target); }

const std::vector<FuzzTarget>& AllTargets() {
  // Static constructors have run by the time that anybody asks; their order is the linker's.
  static const bool is_sorted = [] {
    std::sort(Registry().begin(), Registry().end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return true;
  }();
  HR_CHECK(is_sorted);
  return Registry();
}

const FuzzTarget* FindTarget(std::string_view name) {
  for (const FuzzTarget& target : AllTargets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

void RunTarget(const FuzzTarget& target, ByteSpan input) {
  const auto exact = std::make_unique_for_overwrite<uint8_t[]>(input.size());
  if (!input.empty()) std::memcpy(exact.get(), input.data(), input.size());
  target.run({exact.get(), input.size()});
}

}  // namespace headrace::fuzz
