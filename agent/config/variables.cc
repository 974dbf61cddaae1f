#include "agent/config/variables.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tidegate {

namespace {

constexpr std::array<std::string_view, 20> kSingles{
    "TIDEGATE_GATEWAY_ID",      "TIDEGATE_TENANT",           "TIDEGATE_TENANTS",
    "TIDEGATE_STORE_DIR",       "TIDEGATE_STORE_MAX_BYTES",  "TIDEGATE_STORE_FULL",
    "TIDEGATE_COMMIT_INTERVAL", "TIDEGATE_COMMIT_RECORDS",   "TIDEGATE_DURABILITY",
    "TIDEGATE_TOPIC_HEARTBEAT", "TIDEGATE_TOPIC_READING",    "TIDEGATE_TOPIC_ALERT",
    "TIDEGATE_TOPIC_GAP",       "TIDEGATE_HTTP_LISTEN",      "TIDEGATE_CONTROL_SOCKET",
    "TIDEGATE_LOG_LEVEL",       "TIDEGATE_UPLINK_BUDGET",    "TIDEGATE_UPLINK_WINDOW",
    "TIDEGATE_UPLINK_LINGER",   "TIDEGATE_UPLINK_LIVE_SHARE"};

constexpr std::array<Family, 5> kFamilies{{
    {"TIDEGATE_INPUT_", FamilyKind::kInput, false, "inputs"},
    {"TIDEGATE_RULE_", FamilyKind::kRule, false, "rules"},
    {"TIDEGATE_KAFKA_", FamilyKind::kKafka, false, "Kafka properties"},
    {"TIDEGATE_WINDOW_", FamilyKind::kLater, true, "windows"},
    {"TIDEGATE_STALE_AFTER", FamilyKind::kLater, true, "stale alerts"},
}};

bool IsTopicChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

bool IsSingleVariable(std::string_view name) {
  return std::ranges::find(kSingles, name) != kSingles.end();
}

const Family* FamilyOf(std::string_view name) {
  const auto found = std::ranges::find_if(kFamilies, [&](const Family& family) {
    return family.prefix.ends_with('_') ? name.starts_with(family.prefix) : name == family.prefix;
  });
  return found == kFamilies.end() ? nullptr : &*found;
}

std::vector<std::string> KnownNames() {
  std::vector<std::string> names(kSingles.begin(), kSingles.end());
  for (const Family& family : kFamilies) {
    if (!family.later) names.push_back(std::string(family.prefix) + "<NAME>");
  }
  names.emplace_back("TIDEGATE_KAFKA_BOOTSTRAP_SERVERS");
  return names;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> elements;
  while (true) {
    const size_t comma = text.find(',');
    elements.emplace_back(Trim(text.substr(0, comma)));
    if (comma == std::string_view::npos) return elements;
    text.remove_prefix(comma + 1);
  }
}

std::optional<uint64_t> ParseCount(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool IsTopicTemplate(std::string_view text) {
  constexpr std::string_view kTenant = "{tenant}";
  if (text.empty() || text.size() > 249 || text == "." || text == "..") return false;
  // A topic's name has its tenant once.
  if (text.find(kTenant) != text.rfind(kTenant)) return false;
  while (!text.empty()) {
    if (text.starts_with(kTenant)) {
      text.remove_prefix(kTenant.size());
    } else if (IsTopicChar(text.front())) {
      text.remove_prefix(1);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace tidegate
