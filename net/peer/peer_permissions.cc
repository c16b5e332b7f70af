#include "net/peer/peer_permissions.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

struct PermissionRow {
  std::string_view name;
  PeerPermission permission;
};

// In the field's order.
constexpr std::array kPermissionRows = {
    PermissionRow{"bloomfilter", kMayFilter},    PermissionRow{"noban", kMayStay},
    PermissionRow{"forcerelay", kMayForceRelay}, PermissionRow{"relay", kMayRelay},
    PermissionRow{"mempool", kMayAskMempool},    PermissionRow{"download", kMayDownload},
    PermissionRow{"addr", kMayGossip},
};

constexpr uint32_t kFriendly = kMayStay | kMayRelay | kMayAskMempool;

struct PermissionList {
  uint32_t permissions = 0;
  bool is_inbound = false;
  bool is_outbound = false;
};

absl::Status AddWord(std::string_view word, PermissionList& list) {
  if (word == "in") {
    list.is_inbound = true;
  } else if (word == "out") {
    list.is_outbound = true;
  } else if (word == "all") {
    for (const PermissionRow& row : kPermissionRows) list.permissions |= row.permission;
  } else {
    for (const PermissionRow& row : kPermissionRows) {
      if (row.name != word) continue;
      list.permissions |= row.permission;
      return absl::OkStatus();
    }
    std::string names;
    for (const PermissionRow& row : kPermissionRows) absl::StrAppend(&names, std::string(row.name), ", ");
    return absl::InvalidArgumentError(
        absl::StrCat("there is no permission `", std::string(word), "`, only ", names, "all, in and out"));
  }
  return absl::OkStatus();
}

// What stands before the @, which is taken off `text`.
absl::StatusOr<PermissionList> TakePermissions(std::string_view& text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return PermissionList{kFriendly, true, false};
  std::string_view words = text.substr(0, at);
  text.remove_prefix(at + 1);
  PermissionList list;
  bool is_named = false;
  while (!words.empty()) {
    const size_t comma = words.find(',');
    const std::string_view word = words.substr(0, comma);
    words.remove_prefix(comma == std::string_view::npos ? words.size() : comma + 1);
    if (word.empty()) continue;
    HR_RETURN_IF_ERROR(AddWord(word, list));
    is_named |= word != "in" && word != "out";
  }
  // `out@1.2.3.4` names nothing but a direction.
  if (!is_named && (list.is_inbound || list.is_outbound)) list.permissions = kFriendly;
  if (!list.is_outbound) list.is_inbound = true;
  return list;
}

}  // namespace

absl::StatusOr<PermittedRange> ParsePermittedRange(std::string_view text) {
  HR_ASSIGN_OR_RETURN(const PermissionList list, TakePermissions(text));
  HR_ASSIGN_OR_RETURN(const Subnet range, Subnet::Parse(text));
  return PermittedRange{range, list.permissions, list.is_inbound, list.is_outbound};
}

absl::StatusOr<PermittedListener> ParsePermittedListener(std::string_view text, uint16_t default_port) {
  HR_ASSIGN_OR_RETURN(const PermissionList list, TakePermissions(text));
  if (list.is_outbound) return absl::InvalidArgumentError("`out` is not for those who come in");
  HR_ASSIGN_OR_RETURN(const Address address, ParseAddress(text, default_port));
  return PermittedListener{address, list.permissions};
}

std::vector<std::string_view> PermissionNames(uint32_t permissions) {
  std::vector<std::string_view> names;
  for (const PermissionRow& row : kPermissionRows) {
    if (HasPermission(permissions, row.permission)) names.push_back(row.name);
  }
  return names;
}

std::string PermissionsText(uint32_t permissions) {
  std::string text;
  for (const std::string_view name : PermissionNames(permissions)) text += (text.empty() ? "" : ",") + std::string(name);
  return text;
}

}  // namespace headrace
