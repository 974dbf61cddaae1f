#include "uplink/restamp.h"

#include <chrono>

#include "core/check.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

// A record waits no longer for its commit, unless the store fails.
constexpr milliseconds kLongestWait = std::chrono::minutes(1);

// Alerts and gaps have no arrivals. The time between such a record and its commit is the difference
// of two readings of the wall clock. If the clock was set in between, the difference means nothing,
// and the time of the commit is the best that is known.
milliseconds ArrivalOf(const Batch& batch, size_t index) {
  if (index < batch.arrivals.size()) return batch.arrivals[index].since_boot;
  const auto committed = std::chrono::duration_cast<milliseconds>(batch.stamp.since_boot);
  const milliseconds waited = batch.stamp.wall - batch.records[index].time;
  const bool believable = waited >= milliseconds::zero() && waited <= kLongestWait;
  return believable ? committed - waited : committed;
}
}  // namespace

std::optional<Record> Restamp(const Batch& batch, size_t index, const ClockHistory& history) {
  CHECK(index < batch.records.size(), "the batch holds the record");
  const Record& record = batch.records[index];
  if (record.time_source == TimeSource::kSource || record.clock_synced) return std::nullopt;
  const auto time = history.WallAt(batch.stamp.boot_id, ArrivalOf(batch, index));
  if (!time) return std::nullopt;
  Record restamped = record;
  if (!Redate(restamped, *time)) return std::nullopt;
  CHECK(restamped.value.size() == record.value.size(), "a time replaces one of the same length");
  restamped.clock_synced = true;
  return restamped;
}

}  // namespace tidegate
