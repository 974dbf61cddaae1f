// The marks of the databases whose records are parked, in the collection kLanes of the main
// database: for each, the position after its last parked record in each partition of the parking
// topic. A worker raises a mark before it commits the offsets of what it parked, and lands nothing
// directly while the mark exists; whoever lands parked records lowers it. So records of one asset
// land in their order, also after a restart and from several processes. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

inline constexpr const char* kLanes = "tidegate_lanes";

class ParkingMarks {
 public:
  // Keyed by database.
  using Marks = std::map<std::string, Offsets>;

  // `main` is the main database. The store must outlive the object.
  ParkingMarks(std::string main, ProjectionStore& store) : main_(std::move(main)), store_(store) {}

  // Returns the marks of those of the databases that have one. kUnavailable: the main database.
  Result<Marks> Read(const std::set<std::string>& databases);
  // Raises each database's mark to at least these positions. kUnavailable: some may be raised;
  // raise the same again, which is harmless.
  Status Raise(const Marks& marks, WallTime now);
  // Every record of each database before these positions has landed: removes the entries of its
  // mark that are not after them. kUnavailable as for Raise().
  Status Lower(const Marks& landed);
  // The parking topic's partitions end at these positions: moves the entries of each mark that are
  // after them, which are of logs that are gone, back there. kUnavailable as for Raise().
  Status Bound(const Marks& ends);

 private:
  using Change = bool (*)(Offsets& mark, const Offsets& with);
  // Applies `change` to the marks until nobody has changed them meanwhile. It returns false if a
  // mark needs no change.
  Status Apply(const Marks& marks, Change change, WallTime now);

  const std::string main_;
  ProjectionStore& store_;
};

}  // namespace tidegate::reader
