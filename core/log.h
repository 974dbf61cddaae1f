// The program's log: one line a message on standard error, with the journal's priority prefix
// (sd-daemon(3)) when systemd reads it and time and level otherwise. Any thread. Secrets are never
// passed in.
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
// error, warning (warn), info, debug, in either case; nullopt for anything else.
std::optional<LogLevel> ParseLogLevel(std::string_view text);
std::string_view LogLevelName(LogLevel level);

class Log {
 public:
  using Sink = std::function<void(LogLevel, std::string_view line)>;

  // The sink gets what passes `level`, one call a line, control characters already replaced.
  // Default sink: standard error.
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

// Keeps a repeated event to one line a minute. Owned by whoever logs the event; one thread.
class LogLimit {
 public:
  explicit LogLimit(std::chrono::nanoseconds interval = std::chrono::minutes(1))
      : interval_(interval) {}

  // Counts the event. When a line is due it returns how many events it stands for, this one
  // included; else nullopt.
  std::optional<uint64_t> Count(BootTime now, uint64_t events = 1);

 private:
  std::chrono::nanoseconds interval_;
  std::optional<BootTime> last_;
  uint64_t pending_ = 0;
};

}  // namespace tidegate
