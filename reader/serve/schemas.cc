#include "reader/serve/schemas.h"

#include <array>
#include <span>
#include <string_view>

namespace tidegate::reader {

namespace {
using std::string_view;

enum class Kind { kText, kTime, kNumber, kInteger, kFlag, kObject, kTexts, kObjects };

struct Member {
  string_view name;
  Kind kind;
  bool nullable = false;
};

struct Schema {
  string_view name;
  std::span<const Member> members;
};

using enum Kind;
constexpr Member kId{"_id", kText};
constexpr Member kTenantId{"tenant_id", kText};
constexpr Member kAssetId{"asset_id", kText};
constexpr Member kDeviceId{"device_id", kText};

constexpr std::array kTelemetry{kId,
                                kTenantId,
                                kAssetId,
                                kDeviceId,
                                Member{"timestamp", kTime},
                                Member{"ts", kTime},
                                Member{"temperature_c", kNumber},
                                Member{"humidity", kNumber},
                                Member{"lat", kNumber},
                                Member{"lon", kNumber},
                                Member{"additional_data", kObject},
                                Member{"tidegate", kObject}};
constexpr std::array kAggregate{
    kId,
    kTenantId,
    kAssetId,
    kDeviceId,
    Member{"sensor_type", kText},
    Member{"window", kText},
    Member{"timestamp", kTime},
    Member{"count", kInteger},
    Member{"sum", kNumber},
    Member{"min", kNumber},
    Member{"max", kNumber},
    Member{"average", kNumber, true},
};
constexpr std::array kAlert{kId,
                            kTenantId,
                            kAssetId,
                            kDeviceId,
                            Member{"rule", kText},
                            Member{"alert_type", kText},
                            Member{"field", kText, true},
                            Member{"sensor_type", kText, true},
                            Member{"severity", kText},
                            Member{"status", kText},
                            Member{"raised_at", kTime},
                            Member{"cleared_at", kTime, true},
                            Member{"timestamp", kTime},
                            Member{"value", kNumber},
                            Member{"message", kText},
                            Member{"source", kText}};
constexpr std::array kDevice{kId,
                             kTenantId,
                             kAssetId,
                             kDeviceId,
                             Member{"first_seen", kTime},
                             Member{"last_seen", kTime},
                             Member{"documents", kInteger},
                             Member{"last", kObject}};
constexpr std::array kFailure{kId,
                              kTenantId,
                              kAssetId,
                              kDeviceId,
                              Member{"started_at", kTime},
                              Member{"ended_at", kTime, true},
                              Member{"active", kFlag},
                              Member{"readings", kInteger},
                              Member{"reading_ids", kTexts}};
constexpr std::array kLoss{kId,
                           Member{"kind", kText},
                           kTenantId,
                           Member{"gateway_id", kText},
                           Member{"topic", kText},
                           Member{"partition", kInteger},
                           Member{"from", kInteger},
                           Member{"to", kInteger},
                           Member{"count", kInteger},
                           Member{"reason", kText},
                           Member{"timestamp", kTime}};
constexpr std::array kStats{Member{"version", kText},         Member{"uptime_seconds", kInteger},
                            Member{"counts", kObject, true},  Member{"landing", kText},
                            Member{"landed", kInteger},       Member{"duplicates", kInteger},
                            Member{"dead_letters", kInteger}, Member{"workers", kObjects}};
constexpr std::array kHealth{Member{"status", kText}, Member{"kafka", kText},
                             Member{"database", kText}, Member{"problems", kTexts},
                             Member{"notes", kTexts}};
constexpr std::array kShutdown{Member{"status", kText}};
constexpr std::array kProblem{Member{"type", kText}, Member{"title", kText},
                              Member{"status", kInteger}, Member{"detail", kText}};

constexpr std::array kSchemas{Schema{"Telemetry", kTelemetry}, Schema{"Aggregate", kAggregate},
                              Schema{"Alert", kAlert},         Schema{"Device", kDevice},
                              Schema{"Failure", kFailure},     Schema{"Loss", kLoss},
                              Schema{"Stats", kStats},         Schema{"Health", kHealth},
                              Schema{"Shutdown", kShutdown},   Schema{"Problem", kProblem}};

string_view TypeOf(Kind kind) {
  switch (kind) {
    case kText:
    case kTime:
      return "string";
    case kNumber:
      return "number";
    case kInteger:
      return "integer";
    case kFlag:
      return "boolean";
    case kObject:
      return "object";
    case kTexts:
    case kObjects:
      return "array";
  }
  return "object";
}

void WriteMember(const Member& member, json::Members properties) {
  json::Members object = properties.Object(member.name);
  object.Text("type", TypeOf(member.kind));
  if (member.kind == kTime) object.Text("format", "date-time");
  if (member.kind == kTexts || member.kind == kObjects)
    object.Object("items").Text("type", member.kind == kTexts ? "string" : "object");
  if (member.nullable) object.Flag("nullable", true);
}
}  // namespace

void WriteSchemas(json::Members schemas) {
  for (const Schema& schema : kSchemas) {
    json::Members object = schemas.Object(schema.name);
    object.Text("type", "object");
    json::Members properties = object.Object("properties");
    for (const Member& member : schema.members) WriteMember(member, properties);
  }
}

}  // namespace tidegate::reader
