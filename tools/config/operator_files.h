// Where a program of this project finds its settings and its data: the configuration file and what it includes, the
// data directory, the network. The same for all of them, so that a client finds the server that was started the same
// way.
//
// Cold path; one thread. Errors are one sentence each, without the "Error: " that the program puts before it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tools/config/machine_facts.h"
#include "tools/config/network.h"
#include "tools/config/settings.h"

namespace headrace {

struct OperatorPlace {
  std::string data_directory;     // as given; holds bitcoin.conf and the networks' folders
  std::string network_directory;  // where the network's files live
  const NetworkRow* network = nullptr;
  std::string config_file;  // whether or not it is there; empty with -noconf
};

// Adds the configuration files to the settings of the command line, and says where things are.
absl::StatusOr<OperatorPlace> ReadOperatorFiles(Settings& settings, const MachineFacts& machine);

// `path`, below `directory` when it is relative.
std::string PathUnder(const std::string& directory, const std::string& path);

}  // namespace headrace
