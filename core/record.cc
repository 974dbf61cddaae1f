#include "core/record.h"

#include <algorithm>

#include "core/utf8.h"

namespace tidegate {

namespace {
constexpr std::array<std::string_view, kRecordClassCount> kNames{"alert", "gap", "heartbeat",
                                                                 "reading"};

bool IsTenantChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}
}  // namespace

std::string_view RecordClassName(RecordClass record_class) {
  return kNames[static_cast<size_t>(record_class)];
}

std::optional<RecordClass> RecordClassFromName(std::string_view name) {
  for (RecordClass record_class : kRecordClasses) {
    if (RecordClassName(record_class) == name) return record_class;
  }
  return std::nullopt;
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
