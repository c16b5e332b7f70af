// Propagation of absl::Status on cold paths: the environment failed (disk, socket, configuration).
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define HR_RETURN_IF_ERROR(expression)                 \
  do {                                                 \
    absl::Status hr_status = (expression);             \
    if (!hr_status.ok()) return hr_status;             \
  } while (false)

#define HR_CONCAT_INNER(a, b) a##b
#define HR_CONCAT(a, b) HR_CONCAT_INNER(a, b)

// HR_ASSIGN_OR_RETURN(auto file, OpenFile(path));
#define HR_ASSIGN_OR_RETURN(target, expression) HR_ASSIGN_OR_RETURN_NAMED(HR_CONCAT(hr_statusor_, __LINE__), target, expression)
#define HR_ASSIGN_OR_RETURN_NAMED(name, target, expression) \
  auto name = (expression);                                 \
  if (!name.ok()) return std::move(name).status();          \
  target = std::move(name).value()
