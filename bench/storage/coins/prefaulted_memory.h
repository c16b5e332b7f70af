// Memory that the kernel has handed out before the clock runs, so that what a store costs can be told from what the
// kernel takes to hand out and zero its pages (a twentieth of a second for every hundred megabytes, in pages of 4 KiB).
//
// headrace's store takes its memory by mmap. This program has an mmap of its own, which
// answers just such requests from ranges touched beforehand while there are any, and passes everything else on to the
// kernel. The store gets what it would have got: zeroed pages, small ones for segments of records, huge ones for index
// tables.
//
// Threads: Prepare once, before others run; the rest from any.
#pragma once

#include <cstdint>

namespace headrace::bench {

// Touches so many bytes for each: index tables (huge pages) and segments of records (small pages).
void PreparePrefaultedMemory(uint64_t table_bytes, uint64_t segment_bytes);

struct PrefaultedUse {
  uint64_t served_bytes = 0;
  // Asked for when nothing was left.
  uint64_t refused_bytes = 0;
};
PrefaultedUse UseOfPrefaultedMemory();

}  // namespace headrace::bench
