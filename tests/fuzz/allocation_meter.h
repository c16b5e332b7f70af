// How much memory the calling thread takes through operator new while a meter stands: an oracle for decoders, which
// must grow with the bytes that they were given and never with a number that those bytes merely claim.
//
// The program's operator new and delete are replaced (allocation_meter.cc) and count for the thread that calls; a
// thread that frees another's memory is counted as having given it back. One meter at a time in a thread.
#pragma once

#include <cstddef>

namespace headrace::fuzz {

class AllocationMeter {
 public:
  AllocationMeter();
  // The most that was held at once beyond what was held when the meter was made.
  size_t peak_bytes() const;

 private:
  ptrdiff_t begin_bytes_;
};

}  // namespace headrace::fuzz
