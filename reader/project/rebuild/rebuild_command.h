// The verb `tidegate-reader rebuild`: its arguments and its exit code. Thread: the main thread.
#pragma once

#include <string>
#include <vector>

#include "core/log.h"
#include "reader/config/config.h"

namespace tidegate::reader {

// The arguments of the command line.
struct RebuildArguments {
  // The tenants to rebuild, if each has a database of its own; empty: all that are known.
  std::vector<std::string> tenants = {};
  // Runs although the last rebuild was interrupted.
  bool again = false;
  // Runs although documents have expired, which the projections then no longer count.
  bool without_expired = false;
};

// Prints the report and returns the exit code. 0: done. 1: refused or interrupted, and why. 2: the
// arguments do not fit the configuration. REQUIRES: the configuration has no problems.
int RebuildProjections(const RebuildArguments& arguments, const Config& config, const Log& log);

}  // namespace tidegate::reader
