#include "store/salvage/damage_alert.h"

#include "core/json/json.h"
#include "core/time_format.h"

namespace tidegate {
namespace {

constexpr std::string_view kRule = "store-damaged";

Record MakeRecord(const DamageAlert& alert, std::string_view status, WallTime at) {
  Record record;
  record.record_class = RecordClass::kAlert;
  record.time_source = TimeSource::kGateway;
  record.clock_synced = alert.stamp.synced;
  record.time = at;
  record.tenant = alert.tenant;
  record.asset = alert.gateway;
  const std::string time = FormatTime(at);
  const std::string raised = FormatTime(alert.since);
  json::Writer writer(record.value);
  writer.BeginObject();
  const std::pair<std::string_view, std::string_view> members[] = {
      {"tenant_id", alert.tenant}, {"asset_id", alert.gateway},
      {"timestamp", time},         {"rule", kRule},
      {"status", status},          {"severity", "critical"},
      {"raised_at", raised},       {"message", alert.message}};
  for (const auto& [key, value] : members) {
    writer.Key(key);
    writer.String(value);
  }
  writer.EndObject();
  return record;
}

}  // namespace

Record MakeDamageRaised(const DamageAlert& alert) {
  return MakeRecord(alert, "raised", alert.since);
}

Record MakeDamageCleared(const DamageAlert& alert) {
  return MakeRecord(alert, "cleared", alert.stamp.wall);
}

}  // namespace tidegate
