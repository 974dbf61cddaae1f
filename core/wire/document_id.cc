#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "core/check.h"
#include "core/wire/wire_message.h"

namespace tidegate {

std::string SequenceId(const Origin& origin, Seq seq) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.begin(), digits.end(), seq);
  CHECK(error == std::errc(), "20 digits hold every seq");
  std::string id;
  id.reserve(origin.gateway.size() + origin.epoch.size() + 2 + digits.size());
  id.append(origin.gateway).append(1, ':').append(origin.epoch).append(1, ':');
  return id.append(digits.begin(), end);
}

bool IsSequenceId(std::string_view text) {
  const size_t last = text.rfind(':');
  const size_t first = last == std::string_view::npos ? last : text.substr(0, last).rfind(':');
  if (first == std::string_view::npos || first == 0 || last == first + 1) return false;
  const std::string_view seq = text.substr(last + 1);
  constexpr size_t kMaxDigits = 20;
  return !seq.empty() && seq.size() <= kMaxDigits &&
         seq.find_first_not_of("0123456789") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '/'; });
}

std::string DocumentId(const IdParts& parts) {
  if (!parts.event_id.empty()) {
    return fmt::format("{}/{}", RecordKey(parts.tenant, parts.asset), parts.event_id);
  }
  if (parts.source_time) {
    const uint64_t hash = XXH64(parts.value.data(), parts.value.size(), 0);
    return fmt::format("{}/{}/{:016x}", RecordKey(parts.tenant, parts.asset),
                       parts.source_time->time_since_epoch().count(), hash);
  }
  return std::string(parts.sequence_id);
}

std::string AlertId(const AlertIdParts& parts) {
  return fmt::format("{}/{}/{}/{}", RecordKey(parts.tenant, parts.asset), parts.rule,
                     parts.raised_at.time_since_epoch().count(), parts.status);
}

}  // namespace tidegate
