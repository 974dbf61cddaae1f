#include "core/rules/alert_record.h"

#include <fmt/format.h>

#include <type_traits>

#include "core/check.h"
#include "core/time_format.h"

namespace tidegate {

namespace {

std::string ThresholdText(const Rule& rule) {
  std::string text;
  json::Writer writer(text);
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, double>) {
          writer.Double(value);
        } else if constexpr (std::is_same_v<T, bool>) {
          writer.Bool(value);
        } else {
          writer.String(value);
        }
      },
      rule.value);
  return text;
}

std::string ValueText(json::Value value) {
  std::string text;
  json::Writer(text).Copy(value);
  return text;
}

void WriteRaw(json::Writer& writer, std::string_view key, std::string_view json_scalar) {
  writer.Key(key);
  writer.Number(json_scalar);  // Copies the token as it is.
}

void WriteText(json::Writer& writer, std::string_view key, std::string_view text) {
  writer.Key(key);
  writer.String(text);
}

}  // namespace

Record MakeAlertRecord(const Rule& rule, const Record& changed, json::Value value,
                       RuleChange change, WallTime raised_at) {
  CHECK(change != RuleChange::kNone, "an alert record says what changed");
  Record alert;
  alert.record_class = RecordClass::kAlert;
  alert.time_source = changed.time_source;
  alert.clock_synced = changed.clock_synced;
  alert.time = changed.time;
  alert.tenant = changed.tenant;
  alert.asset = changed.asset;
  const std::string_view status = change == RuleChange::kRaised ? "raised" : "cleared";
  const std::string value_text = ValueText(value);
  const std::string threshold = ThresholdText(rule);
  json::Writer writer(alert.value);
  writer.BeginObject();
  if (!alert.tenant.empty()) WriteText(writer, "tenant_id", alert.tenant);
  WriteText(writer, "asset_id", alert.asset);
  WriteText(writer, "timestamp", FormatTime(alert.time));
  WriteText(writer, "rule", rule.name);
  WriteText(writer, "status", status);
  WriteText(writer, "severity", rule.severity);
  WriteText(writer, "field", rule.field);
  WriteRaw(writer, "value", value_text);
  WriteRaw(writer, "threshold", threshold);
  WriteText(writer, "raised_at", FormatTime(raised_at));
  WriteText(writer, "message",
            fmt::format("{} {}: {} is {}, rule {} {} {}", alert.asset, status, rule.field,
                        value_text, rule.field, RuleOperatorText(rule.op), threshold));
  writer.EndObject();
  return alert;
}

}  // namespace tidegate
