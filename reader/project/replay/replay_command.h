// The verb `tidegate-reader replay-dlq`: its arguments and its exit code. Thread: the main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/result.h"
#include "reader/config/config.h"
#include "reader/project/replay/replay.h"

namespace tidegate::reader {

// The arguments of the command line. Empty counts as not given.
struct ReplayArguments {
  std::string reason = {};
  std::string tenant = {};
  std::string topic = {};
  std::string from = {};
  std::string to = {};
  std::optional<uint64_t> limit = std::nullopt;
  bool dry_run = false;
};

// kInvalid: an argument does not parse.
Result<ReplayChoice> ParseChoice(const ReplayArguments& arguments);

// Prints the report and returns the exit code. 0: every chosen letter has landed, now or earlier.
// 1: interrupted, or some letters were refused again or are cut. 2: an argument does not parse.
// REQUIRES: the configuration has no problems.
int ReplayDeadLetters(const ReplayArguments& arguments, const Config& config, const Log& log);

}  // namespace tidegate::reader
