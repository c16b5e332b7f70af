#include "net/discovery/book_keeper.h"

#include <utility>

#include "engine/base/log.h"

namespace headrace {

std::optional<BookImage> BookKeeper::Load() {
  const absl::StatusOr<std::optional<std::vector<uint8_t>>> content = file_.Read();
  if (content.ok() && !content->has_value()) return std::nullopt;
  absl::Status failure = content.status();
  if (content.ok()) {
    absl::StatusOr<BookImage> image = DecodeBookImage(**content);
    if (image.ok()) {
      HR_LOG(kInfo, kNet, "address book read file=", file_.path(), " addresses=", image->entries.size(),
             " anchors=", image->anchors.size(), " recent=", image->recent.size());
      return std::move(*image);
    }
    failure = image.status();
  }
  const absl::StatusOr<std::string> aside = file_.KeepAside();
  HR_LOG(kWarning, kNet, "the address book begins empty: ", failure.message(), " file=", file_.path(), " kept_as=",
         aside.ok() ? *aside : std::string(aside.status().message()));
  return std::nullopt;
}

void BookKeeper::Store(ByteSpan content) {
  const absl::Status status = file_.Replace(content);
  if (status.ok()) {
    HR_LOG(kDebug, kNet, "address book written file=", file_.path(), " bytes=", content.size());
  } else if (!has_failed_) {
    HR_LOG(kWarning, kNet, "the address book cannot be written, and what is new in it will be forgotten at a restart: ",
           status.message());
  }
  has_failed_ = !status.ok();
}

}  // namespace headrace
