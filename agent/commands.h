// The verbs of tidegate-agent besides `run`. Each prints to standard output, explains failures on
// standard error, and returns the program's exit code.
#pragma once

#include <optional>
#include <string>

#include "agent/config/settings.h"
#include "core/record.h"

namespace tidegate {

enum ExitCode { kExitOk = 0, kExitFailed = 1, kExitUsage = 2, kExitDamaged = 3 };

struct TailOptions {
  bool follow = false;
  bool json = false;
  std::optional<RecordClass> kind;
  size_t count = 10;
};

struct ExportOptions {
  std::optional<RecordClass> kind;
  bool dead_letters = false;
};

int CheckCommand(const Environment& environment, const Credentials& credentials);
int StatusCommand(const Environment& environment, bool json);
int TailCommand(const Environment& environment, const TailOptions& options);
int ExportCommand(const Environment& environment, const std::string& store_dir,
                  const ExportOptions& options);
int VerifyCommand(const std::string& store_dir);

}  // namespace tidegate
