// What the runs come to: medians by setting and node, as a table for people and as JSON, and how much faster the first
// node is than the other. Runs that failed are errors and count in no median.
//
// One thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/sync/sync_run.h"

namespace headrace::bench {

// All runs of one node at one setting, in the order in which they were made.
struct SyncRow {
  SyncSetting setting;
  MeasuredNode node;
  std::string version;
  std::vector<SyncRun> runs;
};

// The middle one, or the mean of the two in the middle; 0 of nothing.
double Median(std::vector<double> values);

std::string TableOf(const Chain& chain, const std::vector<SyncRow>& rows);
nlohmann::ordered_json JsonOf(const Chain& chain, const std::vector<SyncRow>& rows);
absl::Status WriteJsonFile(const std::string& path, const nlohmann::ordered_json& json);
bool HasErrors(const std::vector<SyncRow>& rows);

}  // namespace headrace::bench
