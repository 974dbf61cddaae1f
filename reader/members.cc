#include "reader/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/record.h"
#include "core/rules/rules.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
constexpr std::array<std::string_view, 4> kAssetMembers{"asset_id", "device_id", "machine_id",
                                                        "sensor_id"};
constexpr std::array<std::string_view, 2> kTimeMembers{"timestamp", "ts"};
constexpr std::array<std::string_view, 2> kFailureMembers{"failure", "failed"};
constexpr std::array<std::string_view, 2> kStatusMembers{"status", "state"};
constexpr std::array<std::string_view, 4> kFailedWords{"failed", "failure", "fault", "error"};
constexpr std::array<std::string_view, 3> kWellWords{"ok", "normal", "running"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::optional<bool> TruthOf(json::Value value) {
  if (value.type() == json::Type::kBool) return value.as_bool();
  if (value.is_number() && value.number_text() == "1") return true;
  if (value.is_number() && value.number_text() == "0") return false;
  return std::nullopt;
}
}  // namespace

Refusal MemberRefusal(std::string_view member, std::string_view problem) {
  return {RefusalKind::kMember, fmt::format("{} {}", member, problem)};
}

std::optional<std::string> IdText(json::Value value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_number() && value.number_text().find_first_of(".eE") == std::string_view::npos) {
    return std::string(value.number_text());
  }
  return std::nullopt;
}

std::optional<WallTime> TimeOf(json::Value value) {
  if (value.is_string()) return ParseTime(value.as_string());
  if (value.is_number()) return TimeFromEpoch(value.as_number());
  return std::nullopt;
}

std::optional<Refusal> ReadAsset(json::Value root, std::string& asset) {
  for (std::string_view name : kAssetMembers) {
    const auto member = root.Find(name);
    if (!member) continue;
    const auto text = IdText(*member);
    if (!text || !IsAssetName(*text)) return MemberRefusal(name, "is not the name of an asset");
    asset = *text;
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Refusal> ReadTime(json::Value root, std::optional<WallTime>& time) {
  for (std::string_view name : kTimeMembers) {
    const auto member = root.Find(name);
    if (!member) continue;
    time = TimeOf(*member);
    return time ? std::nullopt : std::optional(MemberRefusal(name, "is not a time"));
  }
  return std::nullopt;
}

std::optional<Refusal> ReadSchemaVersion(json::Value root, uint32_t& version) {
  const auto member = root.Find("schema_version");
  if (!member) return std::nullopt;
  const std::string text = IdText(*member).value_or("");
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, version);
  if (parsed.ec == std::errc{} && parsed.ptr == end) return std::nullopt;
  return MemberRefusal("schema_version", "is not a whole number");
}

std::optional<Refusal> ReadFailure(json::Value root, std::optional<bool>& failed) {
  for (std::string_view name : kFailureMembers) {
    const auto member = FindField(root, name);
    if (!member || member->type() == json::Type::kNull) continue;
    failed = TruthOf(*member);
    return failed ? std::nullopt : std::optional(MemberRefusal(name, "is neither true nor false"));
  }
  for (std::string_view name : kStatusMembers) {
    const auto member = FindField(root, name);
    if (!member || !member->is_string()) continue;
    const std::string word = Lower(member->as_string());
    if (std::ranges::count(kFailedWords, word) > 0) failed = true;
    if (std::ranges::count(kWellWords, word) > 0) failed = false;
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tidegate::reader
