#include "agent/control/record_line.h"

#include <fmt/format.h>

#include "core/json/json.h"
#include "core/json/tree.h"

namespace tidegate {

std::string SequenceId(std::string_view gateway, std::string_view epoch, Seq seq) {
  return fmt::format("{}:{}:{}", gateway, epoch, seq);
}

std::string RecordJsonLine(const std::string& id, const Record& record) {
  json::Tree line;
  json::Members members = line.members();
  members.Text("id", id);
  members.Text("kind", RecordClassName(record.record_class));
  members.Raw("value", record.value);
  return line.Print();
}

std::string RecordTextLine(std::string_view json_line) {
  // A value may be as large and as deep as a payload; the line adds little.
  const json::Limits limits{.max_bytes = 1024 * 1024, .max_depth = 24, .max_values = 20'000};
  const auto document = json::Document::Parse(json_line, limits);
  if (!document.ok()) return std::string(json_line);
  const auto value = document->root().Find("value");
  const auto text = [](std::optional<json::Value> object, std::string_view key) -> std::string {
    const auto member = object ? object->Find(key) : std::nullopt;
    return member && member->is_string() ? std::string(member->as_string()) : "-";
  };
  std::string rest;
  if (value) json::Writer(rest).Copy(*value);
  return fmt::format("{} {:9} {}/{} {}", text(value, "timestamp"), text(document->root(), "kind"),
                     text(value, "tenant_id"), text(value, "asset_id"), rest);
}

}  // namespace tidegate
