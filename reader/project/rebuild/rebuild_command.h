// `tidegate-reader rebuild`: what its arguments mean, and its exit code.
#pragma once

#include <string>
#include <vector>

#include "core/log.h"
#include "reader/config/config.h"

namespace tidegate::reader {

// As given on the command line.
struct RebuildArguments {
  std::vector<std::string> tenants = {};  // With a database for each: of these; empty: all known.
  bool again = false;                     // One was broken off.
  bool without_expired = false;           // What retention took away may go from projections too.
};

// Prints the report. 0: done. 1: refused or broken off, and why. 2: arguments that do not fit the
// configuration. REQUIRES: no problems in the configuration.
int RebuildProjections(const RebuildArguments& arguments, const Config& config, const Log& log);

}  // namespace tidegate::reader
