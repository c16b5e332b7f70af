// Keeps the input that is being run where a signal handler finds it: when the program dies of it (a check, a sanitizer,
// a segment fault, an input that takes minutes), the input is written to a file and the command that runs it again is
// printed. One thread.
#pragma once

#include <string>

#include "engine/base/bytes.h"

namespace headrace::fuzz {

// How long one input may take before it counts as one that never ends.
inline constexpr unsigned kInputTimeLimit_s = 120;

// Whether a sanitizer's runtime is linked in: everything takes several times as long then.
bool HasSanitizer();

// Once, before the first input. `program` is how this one was called; files go to `directory`.
void WatchForFailure(const std::string& program, const std::string& directory);
// What is run next; `input` stays where it is until the next call. `origin` is shown with the failure.
void SetCurrentInput(std::string_view target, ByteSpan input, const std::string& origin);
// The last one is over: what fails from here on is not its doing.
void ForgetCurrentInput();

}  // namespace headrace::fuzz
