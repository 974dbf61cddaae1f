#include "reader/serve/endpoint.h"

#include <array>

namespace tidegate::reader {

namespace {
using enum ParameterType;
using std::string_view;

constexpr std::array<string_view, 2> kAlertStatus{"raised", "cleared"};
constexpr std::array<string_view, 2> kFailureStatus{"active", "ended"};
constexpr std::array<string_view, 2> kLossKind{"gap", "offsets"};

constexpr Parameter kOfTenant{"tenant", kTenant, {}, "Only this tenant's."};
constexpr Parameter kOfStream{
    "stream", kStream, {}, "Which stream's documents; without it, the first one of readings."};
constexpr Parameter kOfDevice{"device", kText, "asset_id", "Only this device's."};
constexpr Parameter kEarliest{"from", kFrom, {}, "This time or later."};
constexpr Parameter kLatest{"to", kTo, {}, "Earlier than this time."};
constexpr Parameter kAtMost{"limit", kLimit, {}, "How many at most."};
constexpr Parameter kPlace{"cursor", kCursor, {}, "next_cursor of the page before."};
constexpr Parameter kSensor{"sensor", kText, "sensor_type", "Only this sensor's."};
constexpr Parameter kWindow{"window", kText, "window", "Only windows of this length, such as 1h."};
constexpr Parameter kSeverity{"severity", kText, "severity", "Only of this severity."};
constexpr Parameter kStatusOfAlert{"status", kChoice, "status", "Only in this state.",
                                   kAlertStatus};
constexpr Parameter kStatusOfFailure{"status", kActive, "active", "Only such.", kFailureStatus};
constexpr Parameter kKindOfLoss{
    "kind", kChoice, "kind",
    "Given up by a gateway, or jumped over in Kafka, where retention overtook the reader.",
    kLossKind};

constexpr std::array kTelemetryParameters{kOfTenant, kOfStream, kOfDevice, kEarliest,
                                          kLatest,   kAtMost,   kPlace};
constexpr std::array kDeviceTelemetryParameters{kOfTenant, kOfStream, kEarliest,
                                                kLatest,   kAtMost,   kPlace};
constexpr std::array kAggregateParameters{kOfTenant, kOfDevice, kSensor, kWindow,
                                          kEarliest, kLatest,   kAtMost, kPlace};
constexpr std::array kDeviceAggregateParameters{kOfTenant, kSensor, kWindow, kEarliest,
                                                kLatest,   kAtMost, kPlace};
constexpr std::array kAlertParameters{kOfTenant, kOfDevice, kStatusOfAlert, kSeverity,
                                      kEarliest, kLatest,   kAtMost,        kPlace};
constexpr std::array kDeviceParameters{kOfTenant, kEarliest, kLatest, kAtMost, kPlace};
constexpr std::array kFailureParameters{kOfTenant, kOfDevice, kStatusOfFailure, kEarliest, kLatest,
                                        kAtMost,   kPlace};
constexpr std::array kLossParameters{kOfTenant, kKindOfLoss, kEarliest, kLatest, kAtMost, kPlace};
constexpr std::array kStatsParameters{kOfTenant};

constexpr std::array kDeviceId{AddedMember{"device_id", "asset_id"}};
constexpr std::array kTelemetryAdded{AddedMember{"device_id", "asset_id"},
                                     AddedMember{"ts", "timestamp"}};
constexpr std::array kAlertAdded{
    AddedMember{"device_id", "asset_id"}, AddedMember{"alert_type", "rule"},
    AddedMember{"sensor_type", "field"}, AddedMember{"timestamp", "raised_at"}};

constexpr Listing kTelemetry{.added = kTelemetryAdded, .provenance = true};
constexpr Listing kAggregates{.collection = "aggregated_data", .added = kDeviceId, .average = true};
constexpr Listing kAlerts{
    .collection = "alert_states", .time_member = "raised_at", .added = kAlertAdded};
constexpr Listing kRecentAlerts{.collection = "alert_states",
                                .time_member = "raised_at",
                                .added = kAlertAdded,
                                .last_day = true};
// Ordered by the first time seen, which does not change while pages are read.
constexpr Listing kDevices{.collection = "assets", .time_member = "first_seen", .added = kDeviceId};
constexpr Listing kFailures{
    .collection = "failures", .time_member = "started_at", .added = kDeviceId};
constexpr Listing kLosses{.collection = "losses"};

constexpr std::array kTable{
    Endpoint{"GET", "/", Answer::kPage, Access::kOpen, "A page that tells the state."},
    Endpoint{"GET", "/telemetry", Answer::kList, Access::kTenant,
             "Landed documents of a stream, newest first.", "Telemetry", kTelemetryParameters,
             &kTelemetry},
    Endpoint{"GET", "/aggregated", Answer::kList, Access::kTenant,
             "Count, sum, min, max and average of each device, sensor and window.", "Aggregate",
             kAggregateParameters, &kAggregates},
    Endpoint{"GET", "/alerts", Answer::kList, Access::kTenant,
             "Alerts by the time at which they were raised.", "Alert", kAlertParameters, &kAlerts},
    Endpoint{"GET", "/alerts/recent", Answer::kList, Access::kTenant,
             "Alerts raised in the last 24 hours.", "Alert", kAlertParameters, &kRecentAlerts},
    Endpoint{"GET", "/devices", Answer::kList, Access::kTenant,
             "Every device, those seen for the first time last come first.", "Device",
             kDeviceParameters, &kDevices},
    Endpoint{"GET", "/devices/{id}/telemetry", Answer::kList, Access::kTenant,
             "Landed documents of one device.", "Telemetry", kDeviceTelemetryParameters,
             &kTelemetry},
    Endpoint{"GET", "/devices/{id}/aggregates", Answer::kList, Access::kTenant,
             "Aggregates of one device.", "Aggregate", kDeviceAggregateParameters, &kAggregates},
    Endpoint{"GET", "/failures", Answer::kList, Access::kTenant,
             "Episodes of failure by their start.", "Failure", kFailureParameters, &kFailures},
    Endpoint{"GET", "/gaps", Answer::kList, Access::kTenant, "What is known to be lost, and why.",
             "Loss", kLossParameters, &kLosses},
    Endpoint{"GET", "/stats", Answer::kStats, Access::kTenant,
             "Counts, and to an operator the state of every worker.", "Stats", kStatsParameters},
    Endpoint{"GET", "/health", Answer::kHealth, Access::kOpen,
             "The state of Kafka and of the database.", "Health"},
    Endpoint{"GET", "/healthz", Answer::kHealthz, Access::kOpen, "503 where a restart would help.",
             "Health"},
    Endpoint{"GET", "/readyz", Answer::kReadyz, Access::kOpen, "503 while nothing can land.",
             "Health"},
    Endpoint{"GET", "/metrics", Answer::kMetrics, Access::kOperator,
             "Metrics in Prometheus's text format."},
    Endpoint{"GET", "/openapi.json", Answer::kOpenApi, Access::kOpen, "This description."},
    Endpoint{"POST", "/shutdown", Answer::kShutdown, Access::kAdmin,
             "Stops the reader in order, where TIDEGATE_HTTP_SHUTDOWN is on.", "Shutdown"},
};

constexpr string_view kId = "{id}";

// Returns the text that matches {id}, empty for a pattern without it; nullopt: no match.
std::optional<string_view> Match(string_view pattern, string_view path) {
  const size_t at = pattern.find(kId);
  if (at == string_view::npos) return pattern == path ? std::optional(string_view()) : std::nullopt;
  const string_view before = pattern.substr(0, at);
  const string_view after = pattern.substr(at + kId.size());
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after)) {
    return std::nullopt;
  }
  return path.substr(before.size(), path.size() - before.size() - after.size());
}
}  // namespace

std::span<const Endpoint> EndpointTable() {
  return kTable;
}

Route FindRoute(string_view method, string_view path) {
  Route other;
  for (const Endpoint& endpoint : kTable) {
    const auto id = Match(endpoint.path, path);
    if (!id) continue;
    if (endpoint.method == method) return {&endpoint, *id, {}};
    other.allowed = endpoint.method;
  }
  return other;
}

}  // namespace tidegate::reader
