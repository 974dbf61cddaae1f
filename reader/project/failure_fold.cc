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

// The first effect on an episode may be its end, if another process saves it first.
void Begin(const Document& reading, WallTime started, Object& members) {
  if (members.Find("started_at")) return;
  NameAsset(reading.tenant, reading.asset, members);
  members["started_at"].is = started;
  members["ended_at"].is = nullptr;
  members["active"].is = true;
  members["readings"].is = int64_t{0};
  members["reading_ids"].is = Array();
}

void LinkReading(const Document& reading, Object& members) {
  members["readings"].is = members.Integer("readings") + 1;
  auto* ids = std::get_if<Array>(&members["reading_ids"].is);
  if (ids && ids->size() < kMaxReadingIds) ids->push_back({reading.id});
}

void End(const Document& reading, Object& members) {
  members["ended_at"].is = BoundedTime(reading);
  members["active"].is = false;
}
}  // namespace

void DecideFailure(const Event& event, Object& episode, Object& decision) {
  if (!TakeInOrder(event, episode)) return;
  std::optional<bool> failed;
  // The landing refuses a document whose failure does not parse.
  if (ReadFailure(event.document->value.root(), failed)) return;
  auto started = episode.Time("started_at");
  if (!started && failed.value_or(false)) {
    started = BoundedTime(*event.document);
    episode["started_at"].is = *started;
  }
  if (!started) return;
  decision["started_at"].is = *started;
  if (failed.value_or(true)) return;
  decision["ended"].is = true;
  episode["started_at"].is = nullptr;
}

void FollowFailure(const Event& event, const Object& decision, Effects& then) {
  const Document& reading = *event.document;
  const auto started = decision.Time("started_at");
  if (!started) return;
  then.changes.push_back(
      {EpisodeKey(reading, *started),
       [&reading, started = *started, ended = decision.Bool("ended")](Projection& projection) {
         Begin(reading, started, projection.members);
         ended ? End(reading, projection.members) : LinkReading(reading, projection.members);
       }});
}

}  // namespace tidegate::reader
