#include <fmt/format.h>
#include <xxhash.h>

#include "uplink/wire/wire_message.h"

namespace tidegate {

std::string SequenceId(const Origin& origin, Seq seq) {
  return fmt::format("{}:{}:{}", origin.gateway, origin.epoch, seq);
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
