#include <fmt/format.h>

#include "reader/decode/message_fields.h"
#include "reader/project/state_fold.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxReadingIds = 100;

DocumentKey EpisodeKey(const Document& reading, WallTime started) {
  return {{reading.ns.database, "failures"},
          fmt::format("{}/{}", AssetId(reading), started.time_since_epoch().count())};
}

void LinkReading(const Document& reading, WallTime started, Projection& episode) {
  Object& members = episode.members;
  if (episode.folded.empty()) {
    NameAsset(reading.tenant, reading.asset, members);
    members["started_at"].is = started;
    members["ended_at"].is = nullptr;
    members["active"].is = true;
    members["readings"].is = int64_t{0};
    members["reading_ids"].is = Array();
  }
  members["readings"].is = members.Integer("readings") + 1;
  auto* ids = std::get_if<Array>(&members["reading_ids"].is);
  if (ids && ids->size() < kMaxReadingIds) ids->push_back({reading.id});
}

void End(const Document& reading, Projection& episode) {
  episode.members["ended_at"].is = reading.time;
  episode.members["active"].is = false;
}
}  // namespace

void FoldFailure(const Event& event, Object& episode, Effects& then) {
  const Document& reading = *event.document;
  const auto newest = episode.Time("newest");
  if (newest && reading.time < *newest) return;
  episode["newest"].is = reading.time;
  std::optional<bool> failed;
  // The landing refuses a document whose failure does not parse.
  if (ReadFailure(reading.value.root(), failed)) return;
  auto started = episode.Time("started_at");
  if (!started && failed.value_or(false)) {
    started = reading.time;
    episode["started_at"].is = *started;
  }
  if (!started) return;
  if (failed.value_or(true)) {
    then.changes.push_back({EpisodeKey(reading, *started),
                            [&reading, started = *started](Projection& projection, Effects&) {
                              LinkReading(reading, started, projection);
                            }});
    return;
  }
  episode["started_at"].is = nullptr;
  then.changes.push_back(
      {EpisodeKey(reading, *started),
       [&reading](Projection& projection, Effects&) { End(reading, projection); }});
}

}  // namespace tidegate::reader
