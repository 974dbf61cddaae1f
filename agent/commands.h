// The verbs of tidegate-agent besides `run`. Each prints its result to standard output and why it
// failed to standard error, and returns the program's exit code; FinishOutput follows. Main thread;
// `tail --follow` and `status` block on the running agent.
#pragma once

#include <optional>
#include <string>

#include "agent/config/settings.h"
#include "core/record.h"

namespace tidegate {

// The outer contract: scripts test these.
enum ExitCode {
  kExitOk = 0,
  kExitFailed = 1,
  // A wrong command line or a configuration that cannot work.
  kExitUsage = 2,
  // `verify` found damage in the store.
  kExitDamaged = 3
};

struct TailOptions {
  // After the stored records, print each new one as the running agent stores it.
  bool follow = false;
  // Lines of JSON in place of text.
  bool json = false;
  // Only records of this class; nullopt: every class.
  std::optional<RecordClass> kind;
  // How many stored records are printed first, the newest ones.
  size_t count = 10;
};

struct ExportOptions {
  // Only records of this class; nullopt: every class.
  std::optional<RecordClass> kind;
  // The dead letters in place of the records.
  bool dead_letters = false;
  // The file is a damaged one that was set aside: it is searched for what reads, without SQLite.
  bool is_set_aside = false;
};

// Prints every effective setting, the warnings and the problems. kExitUsage: there is a problem.
int CheckCommand(const Environment& environment, const Credentials& credentials);
// Prints the state of the running agent, as text or as the line of JSON that it answers.
int StatusCommand(const Environment& environment, bool json);
// Prints the newest stored records, the oldest of them first.
int TailCommand(const Environment& environment, const TailOptions& options);
// Prints what the database file at `path` holds as lines of JSON, records in the order of their
// seqs. A file that SQLite does not open is searched like one that was set aside.
int ExportCommand(const Environment& environment, const std::string& path,
                  const ExportOptions& options);
// Reads all of the database file at `path` and prints each damage. kExitDamaged: there is some.
int VerifyCommand(const std::string& path);

}  // namespace tidegate
