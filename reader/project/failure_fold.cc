#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reader/project/state_fold.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxReadingIds = 100;

// Members that tell of a failure by themselves, and those whose words do.
constexpr std::array<std::string_view, 6> kFlags{"failure",         "failed",     "is_failure",
                                                 "machine_failure", "has_failed", "in_failure"};
constexpr std::array<std::string_view, 3> kWords{"status", "state", "machine_status"};
constexpr std::array<std::string_view, 8> kFailed{"failure", "failed", "fault",   "faulty",
                                                  "error",   "broken", "failing", "down"};
constexpr std::array<std::string_view, 10> kWell{"ok",      "normal",     "running",     "healthy",
                                                 "active",  "idle",       "operational", "up",
                                                 "stopped", "maintenance"};

std::optional<bool> FromWord(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (std::ranges::count(kFailed, lower) > 0) return true;
  if (std::ranges::count(kWell, lower) > 0) return false;
  return std::nullopt;
}

std::optional<bool> FromFlag(json::Value flag) {
  switch (flag.type()) {
    case json::Type::kNull:
      return false;
    case json::Type::kBool:
      return flag.as_bool();
    case json::Type::kNumber:
      return flag.as_number() != 0;
    case json::Type::kString: {
      const std::string_view text = flag.as_string();
      if (text.empty() || text == "false" || text == "no" || text == "none") return false;
      if (text == "true" || text == "yes") return true;
      return FromWord(text);
    }
    case json::Type::kObject:  // What kind of failure it is.
      return true;
    case json::Type::kArray:  // The failures that there are.
      return flag.First().has_value();
  }
  return std::nullopt;
}

std::optional<bool> FailureIn(json::Value object) {
  for (std::string_view name : kFlags) {
    const auto flag = object.Find(name);
    if (const auto failed = flag ? FromFlag(*flag) : std::nullopt) return failed;
  }
  for (std::string_view name : kWords) {
    const auto word = object.Find(name);
    if (!word || !word->is_string()) continue;
    if (const auto failed = FromWord(word->as_string())) return failed;
  }
  return std::nullopt;
}

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

std::optional<bool> FailureOf(json::Value root) {
  if (const auto failed = FailureIn(root)) return failed;
  const auto additional = root.Find("additional_data");
  return additional ? FailureIn(*additional) : std::nullopt;
}

void FoldFailure(const Event& event, Object& episode, Effects& then) {
  const Document& reading = *event.document;
  const auto newest = episode.Time("newest");
  if (newest && reading.time < *newest) return;
  episode["newest"].is = reading.time;
  const auto failed = FailureOf(reading.value.root());
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
