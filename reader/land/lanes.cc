#include "reader/land/lanes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxReasons = 20;
}  // namespace

Lanes::Lanes(Options options, Parts parts)
    : options_(std::move(options)), parts_(parts), marks_(options_.database, parts.projections) {
  CHECK(options_.known > 0, "a lane is known while it is used");
}

Status Lanes::Read(const std::set<std::string>& databases) {
  if (!parts_.parking) return {};
  std::set<std::string> asked;
  for (const std::string& database : databases) {
    const bool known = open_.contains(database) || parked_.contains(database);
    if (!known && database != options_.database) asked.insert(database);
  }
  const BootTime now = parts_.clock.SinceBoot();
  const bool again = !parked_.empty() && now >= next_read_;
  for (const auto& [database, lane] : parked_)
    if (again && lane.marked) asked.insert(database);
  if (asked.empty()) return {};
  const auto marks = marks_.Read(asked);
  if (!marks.ok()) return marks.error();
  if (again) next_read_ = now + options_.reread;
  if (open_.size() + asked.size() > options_.known) open_.clear();
  for (const std::string& database : asked) {
    if (marks->contains(database)) {
      parked_.emplace(database,
                      ParkedLane{"records that were parked earlier have not landed", true});
    } else {
      Open(database);
    }
  }
  ExportCount();
  return {};
}

void Lanes::Open(const std::string& database) {
  open_.insert(database);
  if (parked_.erase(database) > 0)
    parts_.log.Info("database {}: its parked records have landed, new ones follow", database);
}

std::set<std::string> Lanes::parked() const {
  std::set<std::string> databases;
  for (const auto& [database, lane] : parked_) databases.insert(database);
  return databases;
}

std::vector<std::string> Lanes::reasons() const {
  std::vector<std::string> reasons;
  for (const auto& [database, lane] : parked_) {
    if (reasons.size() == kMaxReasons) break;
    reasons.push_back(fmt::format("{}: {}", database, lane.reason));
  }
  return reasons;
}

bool Lanes::WaitsForAll(const Failures& failures) const {
  if (!parts_.parking || failures.contains(options_.database)) return true;
  if (options_.all.empty()) return false;
  return std::ranges::all_of(options_.all, [&](const std::string& database) {
    return failures.contains(database) || parked_.contains(database);
  });
}

bool Lanes::ParkFailing(const Failures& failures) {
  CHECK(!failures.empty(), "a database fails");
  if (WaitsForAll(failures)) return false;
  for (const auto& [database, reason] : failures) {
    REACHED("worker: a lane is parked");
    open_.erase(database);
    parked_[database].reason = reason;
    if (park_log_.Count(parts_.clock.SinceBoot())) {
      parts_.log.Warning("{}; its records are parked and land later, those of others go on",
                         reason);
    }
  }
  next_read_ = parts_.clock.SinceBoot() + options_.reread;
  ExportCount();
  return true;
}

Result<std::vector<Result<Position>>> Lanes::Park(std::span<const ParkedRecord> records) {
  CHECK(parts_.parking, "records are parked only where there is a parking topic");
  const WallTime now = parts_.clock.Now();
  std::vector<Result<Position>> places = parts_.parking->Park(records, now);
  CHECK(places.size() == records.size(), "each record has one place");
  ParkingMarks::Marks marks;
  size_t parked = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    if (!places[i].ok()) {
      if (places[i].error().code != ErrorCode::kRejected) return places[i].error();
      continue;
    }
    ++parked;
    int64_t& through = marks[*records[i].database][PartitionName(places[i]->partition)];
    through = std::max(through, places[i]->next_offset);
  }
  if (Status status = marks_.Raise(marks, now); !status.ok()) return status.error();
  for (const auto& [database, positions] : marks) parked_[database].marked = true;
  parts_.metrics.CountParked(parked);
  ExportCount();
  return places;
}

void Lanes::Forget() {
  open_.clear();
  parked_.clear();
  ExportCount();
}

void Lanes::ExportCount() {
  parts_.metrics.AddParkedLanes(static_cast<int64_t>(parked_.size()) -
                                static_cast<int64_t>(exported_));
  exported_ = parked_.size();
}

}  // namespace tidegate::reader
