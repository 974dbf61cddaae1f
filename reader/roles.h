// Which parts of the reader a process runs, so that landing, projecting and answering queries can
// be scaled separately. Pure.
#pragma once

namespace tidegate::reader {

struct Roles {
  // Writes records from Kafka into the collections.
  bool land = true;
  // Folds records that have landed into the projections.
  bool project = true;
  // Answers queries over HTTP.
  bool api = true;

  friend bool operator==(const Roles&, const Roles&) = default;
};

}  // namespace tidegate::reader
