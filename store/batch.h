// What the store keeps: batches of records with the clocks and arrivals of their append, and dead
// letters. Included through store/store.h. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/record.h"

namespace tidegate {

// The clocks at the moment of an append, so that records of an unsynchronised clock can be dated
// later.
struct ClockStamp {
  std::string boot_id;
  BootTime since_boot{};
  WallTime wall{};
  bool synced = false;
};

// Returns the clocks' present values.
ClockStamp StampNow(const Clock& clock);

// How a record arrived: a restart needs it to fold the record again exactly as before, and to
// recognise its message when it is redelivered. None of it leaves the gateway.
struct Arrival {
  // Time in the boot of the batch's stamp; stored only for records that the gateway dated, else 0.
  std::chrono::milliseconds since_boot{};
  // Place among all records of the commit, in the order in which they arrived.
  uint32_t position = 0;
  // Index into the names of inputs of the batch or request.
  uint16_t input = 0;
  // Packet id of the record's message; the records of one message follow each other.
  std::optional<uint16_t> packet_id;

  friend bool operator==(const Arrival&, const Arrival&) = default;
};

// How an earlier store numbered records that were salvaged from it, so that they keep their ids.
struct Numbering {
  std::string epoch;
  Seq first_seq = 0;

  friend bool operator==(const Numbering&, const Numbering&) = default;
};

// Records of one class that arrived together: one row, the unit of dropping and of delivery.
struct Batch {
  // Seq of records.front(); the others follow without a hole.
  Seq first_seq = 0;
  RecordClass record_class = RecordClass::kHeartbeat;
  ClockStamp stamp;
  std::vector<Record> records;
  // One for each record, or empty (alerts, gaps).
  std::vector<Arrival> arrivals;
  // Names that arrivals refer to by index; empty without arrivals.
  std::vector<std::string> inputs;
  // Set only if another store numbered the records first.
  std::optional<Numbering> numbering;
};

// A payload that will never become a record, or a record that will never arrive, stored with its
// reason; store/dead_letter.h makes them. Dead letters have a byte limit of their own; the oldest
// are dropped first, and a gap record declares them.
struct DeadLetter {
  std::string input;   // Name of the input, "uplink" or "store".
  std::string origin;  // Topic, device path, ...
  std::string reason;  // For people, one line.
  // The payload or, if it was too large, its beginning.
  std::string payload;
  WallTime time{};
  // Size of the whole payload; 0: it is whole.
  uint64_t whole_bytes = 0;

  uint64_t payload_bytes() const { return std::max<uint64_t>(whole_bytes, payload.size()); }
  bool truncated() const { return whole_bytes > payload.size(); }
};

}  // namespace tidegate
