// The lanes of a worker: one for each database that it lands in. A lane is open, or it is parked:
// then its records go to the parking topic until those that are parked have landed
// (parking_marks.h). A database that fails parks its lane alone. The main database's lane is never
// parked, and nothing is parked while every database fails: such an outage is waited for. One
// thread.
//
// Invariant: a lane that this worker has parked is open again only after its mark was raised, and
// was read as removed since (Read).
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "reader/consume/parking.h"
#include "reader/land/parking_marks.h"
#include "reader/land/reader_metrics.h"

namespace tidegate::reader {

class Lanes {
 public:
  struct Options {
    // The main database, which holds positions and marks.
    std::string database;
    // Every database that there may be, if an allow list names the tenants; empty: unknown.
    std::set<std::string> all;
    // Between two looks at the marks of parked lanes.
    std::chrono::milliseconds reread{1'000};
    // More open lanes than that are forgotten, and their marks are read again.
    size_t known = 20'000;
  };
  // All of them must outlive the lanes. Without a parking topic no lane is ever parked.
  struct Parts {
    Parking* parking;
    ProjectionStore& projections;
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
  };
  // Why each database fails, for people.
  using Failures = std::map<std::string, std::string>;

  Lanes(Options options, Parts parts);

  // Reads the marks of databases whose lanes are unknown, and now and then of those that are
  // parked. kUnavailable: the main database.
  Status Read(const std::set<std::string>& databases);
  // The databases whose lanes are parked.
  std::set<std::string> parked() const;
  // Why each lane is parked, for people; of the first 20.
  std::vector<std::string> reasons() const;
  // Parks the lanes of the databases that fail. False: they are to be waited for, and nothing has
  // changed.
  bool ParkFailing(const Failures& failures);
  // Parks the records and raises the marks. Returns a place for each record, none of which is
  // kUnavailable. kUnavailable: park the same again.
  Result<std::vector<Result<Position>>> Park(std::span<const ParkedRecord> records);
  // Forgets all lanes, because another worker may have parked them: when partitions are assigned.
  void Forget();

 private:
  struct ParkedLane {
    std::string reason;
    // Its mark is in the main database.
    bool marked = false;
  };

  bool WaitsForAll(const Failures& failures) const;
  void Open(const std::string& database);
  void ExportCount();

  const Options options_;
  Parts parts_;
  ParkingMarks marks_;
  LogLimit park_log_;
  std::set<std::string> open_;
  std::map<std::string, ParkedLane> parked_;
  size_t exported_ = 0;
  BootTime next_read_{};
};

}  // namespace tidegate::reader
