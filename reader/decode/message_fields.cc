#include "reader/decode/message_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/ascii.h"
#include "core/record.h"
#include "core/rules/rules.h"
#include "core/time_format.h"

namespace tidegate::reader {

namespace {
constexpr std::array<std::string_view, 4> kAssetMembers{"asset_id", "device_id", "machine_id",
                                                        "sensor_id"};
constexpr std::array<std::string_view, 2> kTimeMembers{"timestamp", "ts"};
// Members that say by themselves whether there is a failure, and members whose words say it.
constexpr std::array<std::string_view, 6> kFailureMembers{
    "failure", "failed", "is_failure", "machine_failure", "has_failed", "in_failure"};
constexpr std::array<std::string_view, 3> kStatusMembers{"status", "state", "machine_status"};
constexpr std::array<std::string_view, 8> kFailedWords{"failure", "failed", "fault",   "faulty",
                                                       "error",   "broken", "failing", "down"};
constexpr std::array<std::string_view, 10> kWellWords{
    "ok",   "normal",      "running", "healthy", "active",
    "idle", "operational", "up",      "stopped", "maintenance"};

std::optional<bool> FailureInWord(std::string_view text) {
  const std::string word = AsciiLower(text);
  if (std::ranges::count(kFailedWords, word) > 0) return true;
  if (std::ranges::count(kWellWords, word) > 0) return false;
  return std::nullopt;
}

std::optional<bool> FailureInFlag(json::Value flag) {
  switch (flag.type()) {
    case json::Type::kNull:
      return false;
    case json::Type::kBool:
      return flag.as_bool();
    case json::Type::kNumber:
      return flag.as_number() != 0;
    case json::Type::kString: {
      const std::string text = AsciiLower(flag.as_string());
      if (text.empty() || text == "false" || text == "no" || text == "none") return false;
      if (text == "true" || text == "yes") return true;
      return FailureInWord(text);
    }
    case json::Type::kObject:  // What kind of failure it is.
      return true;
    case json::Type::kArray:  // The failures that there are.
      return flag.First().has_value();
  }
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
    const auto flag = FindField(root, name);
    if (!flag) continue;
    failed = FailureInFlag(*flag);
    return failed ? std::nullopt : std::optional(MemberRefusal(name, "says neither yes nor no"));
  }
  for (std::string_view name : kStatusMembers) {
    const auto word = FindField(root, name);
    if (failed || !word || !word->is_string()) continue;
    failed = FailureInWord(word->as_string());
  }
  return std::nullopt;
}

}  // namespace tidegate::reader
