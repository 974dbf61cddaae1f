// The verb `tidegate-reader erase`: its arguments and its exit code. Thread: the main thread.
#pragma once

#include <string>

#include "core/log.h"
#include "reader/config/config.h"

namespace tidegate::reader {

// The arguments of the command line.
struct EraseArguments {
  std::string tenant = {};
  // Empty: everything of the tenant.
  std::string asset = {};
  // False: only counts and prints.
  bool yes = false;
};

// Prints what is kept, or was removed, by collection, and returns the exit code. 0: done. 1: a
// database failed, and why; the verb may be repeated. 2: the arguments are wrong. REQUIRES: the
// configuration has no problems.
int EraseSubject(const EraseArguments& arguments, const Config& config, const Log& log);

}  // namespace tidegate::reader
