// Where messages come from: one member of a Kafka consumer group, or a script in tests. One thread;
// the listener is called on it, from within Poll and Close.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace tidegate::reader {

struct Partition {
  std::string topic;
  int32_t number = 0;

  auto operator<=>(const Partition&) const = default;
};

// "<topic>/<number>", by which the landing's documents name it.
std::string PartitionName(const Partition& partition);

struct SourceMessage {
  Partition partition;
  int64_t offset = 0;
  std::optional<WallTime> timestamp;
  std::optional<std::string> key;
  std::optional<std::string> value;  // nullopt: a null, which is not an empty value.
  std::vector<std::pair<std::string, std::string>> headers;  // A null header reads as empty.
};

// Everything before `next_offset` is done.
struct Position {
  Partition partition;
  int64_t next_offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

struct PartitionLag {
  Partition partition;
  int64_t messages = 0;  // Behind the end of the partition, as of its last fetch.
};

class SourceListener {
 public:
  virtual ~SourceListener() = default;
  virtual void OnAssigned(std::span<const Partition> partitions) = 0;
  // The partitions are given up when this returns: the last moment to store offsets of theirs.
  // `lost`: another member may have them already, so that nothing may be stored.
  virtual void OnRevoked(std::span<const Partition> partitions, bool lost) = 0;
  virtual void OnLag(std::span<const PartitionLag> lag, bool brokers_up) = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  // REQUIRES: before the first Poll; the listener outlives the source or Close.
  virtual void SetListener(SourceListener* listener) = 0;
  // The next message; waits for it at most `patience`. kInvalid: this member can never go on
  // (fenced, for one). Everything else the source deals with itself.
  virtual Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds patience) = 0;
  // To be committed in the background, and before the partitions are given up. Positions of
  // partitions that are no longer ours are ignored.
  virtual void StoreOffsets(std::span<const Position> positions) = 0;
  // The earliest offset that the partition still holds; asks a broker, with a limit of time.
  // kUnavailable: it does not answer now.
  virtual Result<int64_t> EarliestOffset(const Partition& partition) = 0;
  // Where the group is in those partitions of ours; those in which it never was are left out.
  // kUnavailable: as above.
  virtual Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) = 0;
  // While paused, Poll serves the group and hands out no messages, but for some that were on their
  // way.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  // Leaves the group; commits what was stored. Nothing but the destructor may follow.
  virtual void Close() = 0;
};

}  // namespace tidegate::reader
