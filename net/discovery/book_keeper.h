// Between the address book and its file: reads it at the start, writes it when the hub has left an image.
//
// A convenience must not stop a node: what cannot be read is told in one log line, kept aside, and the book begins empty; what
// cannot be written is told once, until it can be again. One thread, which may wait for a disk: the one that watches the
// node, never the reactor's.
#pragma once

#include <optional>

#include "engine/ports/small_file.h"
#include "net/discovery/book_image.h"

namespace headrace {

class BookKeeper {
 public:
  // What a full book's content has at most.
  static constexpr uint64_t kContentBytesMax = 8 << 20;

  explicit BookKeeper(SmallFile& file) : file_(file) {}

  // Nothing when there is none to be had.
  std::optional<BookImage> Load();
  void Store(ByteSpan content);

 private:
  SmallFile& file_;
  bool has_failed_ = false;
};

}  // namespace headrace
