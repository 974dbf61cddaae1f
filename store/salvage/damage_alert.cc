#include "store/salvage/damage_alert.h"

#include "core/json/json.h"
#include "core/time_format.h"

namespace tidegate {
namespace {

constexpr std::string_view kRule = "store-damaged";

Record MakeRecord(const DamageAlert& alert, std::string_view status, std::string_view message) {
  Record record;
  record.record_class = RecordClass::kAlert;
  record.time_source = TimeSource::kGateway;
  record.clock_synced = alert.stamp.synced;
  record.time = alert.stamp.wall;
  record.tenant = alert.tenant;
  record.asset = alert.gateway;
  const std::string time = FormatTime(alert.stamp.wall);
  json::Writer writer(record.value);
  writer.BeginObject();
  const std::pair<std::string_view, std::string_view> members[] = {
      {"tenant_id", alert.tenant}, {"asset_id", alert.gateway},
      {"timestamp", time},         {"rule", kRule},
      {"status", status},          {"severity", "critical"},
      {"raised_at", time},         {"message", message}};
  for (const auto& [key, value] : members) {
    writer.Key(key);
    writer.String(value);
  }
  writer.EndObject();
  return record;
}

}  // namespace

std::vector<Record> MakeDamageAlerts(const DamageAlert& alert) {
  return {MakeRecord(alert, "raised", alert.message),
          MakeRecord(alert, "cleared", "a new store has taken its place")};
}

}  // namespace tidegate
