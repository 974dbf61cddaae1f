// `tidegate-reader replay-dlq`: what its arguments mean, and its exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/log.h"
#include "core/result.h"
#include "reader/config/config.h"
#include "reader/project/replay/replay.h"

namespace tidegate::reader {

// As given on the command line; empty: not given.
struct ReplayArguments {
  std::string reason = {};
  std::string tenant = {};
  std::string topic = {};
  std::string from = {};
  std::string to = {};
  std::optional<uint64_t> limit = std::nullopt;
  bool dry_run = false;
};

// kInvalid: an argument that means nothing.
Result<ReplayChoice> ParseChoice(const ReplayArguments& arguments);

// Prints the report. 0: every chosen letter has landed or was there already. 1: broken off, or some
// were refused again or are cut. 2: an argument that means nothing. REQUIRES: no problems in the
// configuration.
int ReplayDeadLetters(const ReplayArguments& arguments, const Config& config, const Log& log);

}  // namespace tidegate::reader
