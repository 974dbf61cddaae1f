#include "agent/pipeline/fingerprint.h"

#include <xxhash.h>

namespace tidegate {

namespace {
constexpr std::string_view kEventId = R"({"event_id":)";
constexpr uint64_t kRefused = 0xff;
}  // namespace

void Fingerprint::Mix(std::string_view bytes) {
  hash_ = XXH64(bytes.data(), bytes.size(), hash_);
}

void Fingerprint::Add(const Record& record) {
  const std::string_view value = record.value;
  hash_ += static_cast<uint64_t>(record.record_class);
  if (record.time_source == TimeSource::kSource) return Mix(value);
  same_record_ = same_record_ && value.starts_with(kEventId);
  const size_t time = TimestampPosition(value);
  const size_t end = time == value.npos ? time : value.find('"', time);
  if (end == value.npos) return Mix(value);
  Mix(value.substr(0, time));
  Mix(value.substr(end));
}

void Fingerprint::AddRefused(std::string_view payload) {
  hash_ += kRefused;
  same_record_ = false;
  Mix(payload);
}

}  // namespace tidegate
