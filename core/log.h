// The program's log: one line for each message on standard error, with the journal's priority
// prefix (sd-daemon(3)) if systemd reads it, else with time and level. Any thread. Callers never
// pass secrets.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"

namespace tidegate {

enum class LogLevel { kError, kWarning, kInfo, kDebug };
// Accepts error, warning, warn, info and debug in either case; nullopt for anything else.
std::optional<LogLevel> ParseLogLevel(std::string_view text);
std::string_view LogLevelName(LogLevel level);

class Log {
 public:
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  // Passes messages up to `level` to the sink, one call for each line, with control characters
  // replaced by spaces, and cut at 2 KB. An empty sink means standard error. REQUIRES: the sink is
  // safe on any thread that logs.
  explicit Log(LogLevel level = LogLevel::kInfo, Sink sink = {});

  bool Enabled(LogLevel level) const { return level <= level_; }
  void Write(LogLevel level, std::string_view text) const;

  template <typename... Args>
  void Error(fmt::format_string<Args...> format, Args&&... args) const {
    Format(LogLevel::kError, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Warning(fmt::format_string<Args...> format, Args&&... args) const {
    Format(LogLevel::kWarning, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Info(fmt::format_string<Args...> format, Args&&... args) const {
    Format(LogLevel::kInfo, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void Debug(fmt::format_string<Args...> format, Args&&... args) const {
    Format(LogLevel::kDebug, format, std::forward<Args>(args)...);
  }

 private:
  template <typename... Args>
  void Format(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const {
    if (Enabled(level)) Write(level, fmt::format(format, std::forward<Args>(args)...));
  }

  LogLevel level_;
  Sink sink_;
};

// Limits a repeated event to one line a minute. Each kind of event has its own. One thread.
class LogLimit {
 public:
  explicit LogLimit(std::chrono::nanoseconds interval = std::chrono::minutes(1))
      : interval_(interval) {}

  // Counts the events. If a line is due, returns how many events happened since the last line,
  // these included; else nullopt.
  std::optional<uint64_t> Count(BootTime now, uint64_t events = 1);

 private:
  std::chrono::nanoseconds interval_;
  std::optional<BootTime> last_;
  uint64_t pending_ = 0;
};

}  // namespace tidegate
