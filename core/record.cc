#include "core/record.h"

#include <algorithm>

#include "core/check.h"
#include "core/time_format.h"
#include "core/utf8.h"

namespace tidegate {

namespace {
constexpr std::array<std::string_view, kRecordClassCount> kClassNames{"alert", "gap", "heartbeat",
                                                                      "reading"};

bool IsTenantChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}
}  // namespace

std::string_view RecordClassName(RecordClass record_class) {
  const auto index = static_cast<size_t>(record_class);
  CHECK(index < kClassNames.size(), "a record is of one of the classes");
  return kClassNames[index];
}

std::optional<RecordClass> RecordClassFromName(std::string_view name) {
  for (RecordClass record_class : kRecordClasses) {
    if (RecordClassName(record_class) == name) return record_class;
  }
  return std::nullopt;
}

// All members before the timestamp are strings, and a quote within a string is escaped. So a match
// is always the beginning of a member, and the first match is the value's own timestamp.
size_t TimestampPosition(std::string_view canonical_value) {
  constexpr std::string_view kMember = R"(,"timestamp":")";
  const size_t member = canonical_value.find(kMember);
  return member == std::string_view::npos ? member : member + kMember.size();
}

bool Redate(Record& record, WallTime time) {
  const std::string before = FormatTime(record.time);
  const size_t position = TimestampPosition(record.value);
  if (position == std::string::npos || record.value.compare(position, before.size(), before) != 0)
    return false;
  record.value.replace(position, before.size(), FormatTime(time));
  record.time = time;
  return true;
}

bool IsTenantName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTenantBytes &&
         std::ranges::all_of(text, IsTenantChar) &&
         !std::ranges::all_of(text, [](char c) { return c == '.'; });
}

bool IsAssetName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAssetBytes && IsUtf8(text) &&
         std::ranges::none_of(
             text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string RecordKey(std::string_view tenant, std::string_view asset) {
  std::string key;
  key.reserve(tenant.size() + 1 + asset.size());
  key.append(tenant).push_back('/');
  for (char c : asset) {
    if (c == '/') {
      key += "%2F";
    } else if (c == '%') {
      key += "%25";
    } else {
      key.push_back(c);
    }
  }
  return key;
}

}  // namespace tidegate
