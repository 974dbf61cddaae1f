#include "core/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/ascii.h"
#include "core/time_format.h"
#include "core/utf8.h"

namespace tidegate {

namespace {
constexpr std::array<std::string_view, 4> kLevelNames{"error", "warning", "info", "debug"};
// sd-daemon(3): SD_ERR, SD_WARNING, SD_INFO, SD_DEBUG.
constexpr std::array<std::string_view, 4> kJournalPrefixes{"<3>", "<4>", "<6>", "<7>"};

// What somebody else sent may be part of a line, and is of any length.
constexpr size_t kMaxLineBytes = 2048;
constexpr std::string_view kCutMark = "... (cut)";

std::string Cut(std::string_view text) {
  return std::string(Utf8Prefix(text, kMaxLineBytes - kCutMark.size())).append(kCutMark);
}

void WriteToStandardError(LogLevel level, std::string_view text) {
  static const bool under_journal = std::getenv("JOURNAL_STREAM") != nullptr;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string line =
      under_journal ? fmt::format("{}{}\n", kJournalPrefixes[static_cast<size_t>(level)], text)
                    : fmt::format("{} {} {}\n", FormatTime(now), LogLevelName(level), text);
  // One write for each line. If standard error is closed, there is no other place to report that.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}
}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  const std::string lower = AsciiLower(text);
  if (lower == "warn") return LogLevel::kWarning;
  for (size_t i = 0; i < kLevelNames.size(); ++i) {
    if (kLevelNames[i] == lower) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

std::string_view LogLevelName(LogLevel level) {
  return kLevelNames[static_cast<size_t>(level)];
}

Log::Log(LogLevel level, Sink sink)
    : level_(level), sink_(sink ? std::move(sink) : Sink(WriteToStandardError)) {}

void Log::Write(LogLevel level, std::string_view text) const {
  if (!Enabled(level)) return;
  std::string line = text.size() <= kMaxLineBytes ? std::string(text) : Cut(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  sink_(level, line);
}

std::optional<uint64_t> LogLimit::Count(BootTime now, uint64_t events) {
  pending_ += events;
  if (last_ && now - *last_ < interval_) return std::nullopt;
  last_ = now;
  return std::exchange(pending_, 0);
}

}  // namespace tidegate
