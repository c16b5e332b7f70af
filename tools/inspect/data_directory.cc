#include "tools/inspect/data_directory.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"
#include "engine/base/status_macros.h"
#include "storage/coins/coin_manifest.h"

namespace headrace {
namespace {

constexpr std::array kChains = {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4, ChainId::kSignet, ChainId::kRegtest};

bool IsNetworkDirectory(FileSystem* files, const std::string& path) {
  return files->Exists(path + "/coins") || files->Exists(path + "/blocks");
}

std::string LastComponent(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path.substr(path.rfind('/') + 1);
}

// The network that a manifest says it belongs to; null when there is none or it cannot be told.
const ChainParams* ChainOfManifest(FileSystem* files, const std::string& directory) {
  const std::string path = directory + "/coins/" + kManifestFileName;
  if (!files->Exists(path)) return nullptr;
  const auto bytes = files->ReadWholeFile(path, 1 << 20);
  if (!bytes.ok() || bytes->size() < 16) return nullptr;
  for (const ChainId id : kChains) {
    const ChainParams& chain = ParamsFor(id);
    if (LoadLittle32(&(*bytes)[12]) == LoadLittle32(chain.message_magic.data())) return &chain;
  }
  return nullptr;
}

absl::StatusOr<std::string> FindNetworkDirectory(FileSystem* files, const std::string& path, const ChainParams* chain) {
  if (chain != nullptr && !chain->data_subfolder.empty()) {
    const std::string below = absl::StrCat(path, "/", std::string(chain->data_subfolder));
    if (IsNetworkDirectory(files, below)) return below;
  }
  if (IsNetworkDirectory(files, path)) return path;
  std::vector<std::string> found;
  for (const ChainId id : kChains) {
    const ChainParams& candidate = ParamsFor(id);
    const std::string below = absl::StrCat(path, "/", std::string(candidate.data_subfolder));
    if (chain == nullptr && !candidate.data_subfolder.empty() && IsNetworkDirectory(files, below)) found.push_back(below);
  }
  if (found.size() == 1) return found[0];
  if (found.empty()) return absl::NotFoundError(absl::StrCat(path, " is no data directory: it holds neither coins nor blocks."));
  return absl::InvalidArgumentError(absl::StrCat(path, " holds several networks; name one with -chain=."));
}

}  // namespace

uint32_t DataDirectory::magic() const { return LoadLittle32(chain->message_magic.data()); }

absl::StatusOr<DataDirectory> FindDataDirectory(FileSystem* files, const std::string& path, const std::string& chain_name) {
  DataDirectory found;
  if (!chain_name.empty()) {
    const std::optional<ChainId> id = ChainIdFromName(chain_name);
    if (!id) return absl::InvalidArgumentError(absl::StrCat("There is no network called ", chain_name, "."));
    found.chain = &ParamsFor(*id);
  }
  if (!files->Exists(path)) return absl::NotFoundError(absl::StrCat(path, " does not exist."));
  HR_ASSIGN_OR_RETURN(found.path, FindNetworkDirectory(files, path, found.chain));
  if (found.chain == nullptr) found.chain = ChainOfManifest(files, found.path);
  for (const ChainId id : kChains) {
    const ChainParams& chain = ParamsFor(id);
    if (found.chain == nullptr && chain.data_subfolder == LastComponent(found.path)) found.chain = &chain;
  }
  if (found.chain == nullptr) found.chain = &ParamsFor(ChainId::kMain);
  return found;
}

}  // namespace headrace
