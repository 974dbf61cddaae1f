#include "reader/config/tenant_file.h"

#include <fmt/format.h>

#include <set>

#include "core/json/json.h"
#include "core/quantity.h"
#include "core/record.h"
#include "reader/config/setting_file.h"

namespace tidegate::reader {

namespace {
constexpr json::Limits kLimits{
    .max_bytes = kMaxSettingFileBytes, .max_depth = 3, .max_values = 2'000'000};

Error Invalid(std::string message) {
  return {ErrorCode::kInvalid, std::move(message)};
}

// Sets the member of an entry. Returns what is wrong; empty: nothing.
std::string SetMember(std::string_view name, json::Value value, TenantEntry& entry) {
  if (!value.is_string()) return fmt::format("member {:?} is not text", name);
  if (name == "name") {
    entry.name = value.as_string();
  } else if (name == "retention") {
    entry.retention = ParseRetention(value.as_string());
    if (!entry.retention) return "retention is neither forever nor a duration such as 90d";
  } else if (name == "landing") {
    entry.landing = value.as_string();
  } else {
    return fmt::format("member {:?} is none of name, retention, landing", name);
  }
  return {};
}

Result<TenantEntry> ReadEntry(json::Value value, size_t place) {
  TenantEntry entry;
  std::string wrong;
  if (value.is_string()) {
    entry.name = value.as_string();
  } else if (value.is_object()) {
    for (auto member = value.First(); member && wrong.empty(); member = member->Next())
      wrong = SetMember(member->key(), *member, entry);
  } else {
    wrong = "it is neither text nor an object";
  }
  if (wrong.empty() && !IsTenantName(entry.name))
    wrong = "it has no name of 1 to 64 of A-Z a-z 0-9 . _ -";
  if (!wrong.empty()) return Invalid(fmt::format("tenant {}: {}", place, wrong));
  return entry;
}
}  // namespace

std::optional<Retention::Period> ParseRetention(std::string_view text) {
  if (text == "forever") return Retention::Period();
  const auto period = ParseDuration(text);
  if (!period || *period < kShortestRetention) return std::nullopt;
  return Retention::Period(*period);
}

Result<std::vector<TenantEntry>> ParseTenantFile(std::string_view text) {
  const auto parsed = json::Document::Parse(text, kLimits);
  if (!parsed.ok()) return Invalid(parsed.error().message);
  if (parsed->root().type() != json::Type::kArray) return Invalid("it is not a JSON array");
  std::vector<TenantEntry> entries;
  std::set<std::string, std::less<>> names;
  for (auto value = parsed->root().First(); value; value = value->Next()) {
    auto entry = ReadEntry(*value, entries.size() + 1);
    if (!entry.ok()) return entry.error();
    if (!names.insert(entry->name).second)
      return Invalid(
          fmt::format("tenant {}: '{}' is listed twice", entries.size() + 1, entry->name));
    entries.push_back(std::move(entry).value());
  }
  if (entries.empty()) return Invalid("it lists no tenant");
  return entries;
}

}  // namespace tidegate::reader
