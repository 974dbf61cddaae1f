#include "core/kafka/client_log.h"

#include <librdkafka/rdkafka.h>
#include <syslog.h>

#include <utility>

namespace tidegate::kafka {

namespace {
// A gateway is often offline, so that the library's "error: connection refused" is no error of the
// program.
LogLevel LevelFor(int severity) {
  if (severity <= LOG_CRIT) return LogLevel::kError;
  if (severity <= LOG_WARNING) return LogLevel::kWarning;
  return severity <= LOG_INFO ? LogLevel::kInfo : LogLevel::kDebug;
}
}  // namespace

ClientLog::ClientLog(const Log& log, const Clock& clock, std::string name)
    : log_(log), clock_(clock), name_(std::move(name)) {}

void ClientLog::Attach(rd_kafka_conf_s* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_log_cb(
      conf, [](const rd_kafka_t* client, int level, const char* facility, const char* text) {
        static_cast<ClientLog*>(rd_kafka_opaque(client))->OnLine(level, facility, text);
      });
}

void ClientLog::OnLine(int severity, std::string_view facility, std::string_view text) {
  const LogLevel level = LevelFor(severity);
  if (!log_.Enabled(level)) return;
  if (level == LogLevel::kDebug) {
    log_.Write(level, fmt::format("{}: {}: {}", name_, facility, text));
    return;
  }
  auto limit = limits_.find(facility);
  if (limit == limits_.end()) limit = limits_.emplace(facility, LogLimit()).first;
  const auto times = limit->second.Count(clock_.SinceBoot());
  if (!times) return;
  const std::string repeated = *times > 1 ? fmt::format(" ({} times)", *times) : std::string();
  log_.Write(level, fmt::format("{}: {}: {}{}", name_, facility, text, repeated));
}

}  // namespace tidegate::kafka
