// What a process does, so that landing, projecting and answering can scale apart. Pure.
#pragma once

namespace tidegate::reader {

struct Roles {
  bool land = true;     // From Kafka into the collections.
  bool project = true;  // From what has landed into the projections.
  bool api = true;      // Answers queries over HTTP.

  friend bool operator==(const Roles&, const Roles&) = default;
};

}  // namespace tidegate::reader
