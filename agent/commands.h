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
  bool is_set_aside = false;  // A damaged file: read as it is, without SQLite.
};

int CheckCommand(const Environment& environment, const Credentials& credentials);
int StatusCommand(const Environment& environment, bool json);
int TailCommand(const Environment& environment, const TailOptions& options);
// `path`: the database file.
int ExportCommand(const Environment& environment, const std::string& path,
                  const ExportOptions& options);
int VerifyCommand(const std::string& path);

}  // namespace tidegate
