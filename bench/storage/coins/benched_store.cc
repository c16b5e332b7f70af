#include "bench/storage/coins/benched_store.h"

#include "absl/strings/str_cat.h"
#include "engine/runtime/tbb_executor.h"
#include "tests/support/inline_executor.h"

namespace headrace::bench {
namespace {

struct Opener {
  const char* name;
  absl::StatusOr<std::unique_ptr<BenchedStore>> (*open)(const BenchedStoreOptions&);
  const char* package;
};

#ifdef HEADRACE_BENCH_ROCKSDB
constexpr auto kOpenRocksDb = &OpenRocksDbStore;
#else
constexpr decltype(&OpenRocksDbStore) kOpenRocksDb = nullptr;
#endif
#ifdef HEADRACE_BENCH_LMDB
constexpr auto kOpenLmdb = &OpenLmdbStore;
#else
constexpr decltype(&OpenLmdbStore) kOpenLmdb = nullptr;
#endif

constexpr Opener kOpeners[] = {{"headrace", &OpenHeadraceStore, ""},
                               {"flat_hash_map", &OpenFlatMapStore, ""},
                               {"rocksdb", kOpenRocksDb, "librocksdb-dev"},
                               {"lmdb", kOpenLmdb, "liblmdb-dev"}};

std::string MissingText(const Opener& opener) {
  if (opener.open != nullptr) return "";
  return absl::StrCat(opener.name, " is not in this build: install Debian's ", opener.package, " and run cmake again.");
}

}  // namespace

std::vector<StoreName> StoreNames() {
  std::vector<StoreName> names;
  for (const Opener& opener : kOpeners) names.push_back({opener.name, MissingText(opener)});
  return names;
}

absl::StatusOr<std::unique_ptr<BenchedStore>> OpenBenchedStore(std::string_view name,
                                                               const BenchedStoreOptions& options) {
  for (const Opener& opener : kOpeners) {
    if (name != opener.name) continue;
    if (opener.open == nullptr) return absl::UnavailableError(MissingText(opener));
    return opener.open(options);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("There is no store called ", std::string(name), "; --help lists them."));
}

std::unique_ptr<Executor> MakeBenchExecutor(uint32_t workers) {
  if (workers == 0) return std::make_unique<testing::InlineExecutor>();
  return MakeTbbExecutor(workers);
}

}  // namespace headrace::bench
