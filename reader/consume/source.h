// The source of messages: one member of a Kafka consumer group, or a script in tests. One thread;
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

// Returns "<topic>/<number>", the name of a partition in the landing's documents.
std::string PartitionName(const Partition& partition);
// The same in a later epoch: "<topic>/<number>@<epoch>"; epoch 0 has the plain name.
std::string PartitionName(const Partition& partition, int64_t epoch);

struct SourceMessage {
  Partition partition;
  int64_t offset = 0;
  std::optional<WallTime> timestamp;
  std::optional<std::string> key;
  // nullopt: a null, which is not an empty value.
  std::optional<std::string> value;
  // A null header reads as empty.
  std::vector<std::pair<std::string, std::string>> headers;
};

// Every message before `next_offset` is done.
struct Position {
  Partition partition;
  int64_t next_offset = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

struct PartitionLag {
  Partition partition;
  // From the stored offset to the partition's end, as of its last fetch.
  int64_t messages = 0;
};

class SourceListener {
 public:
  virtual ~SourceListener() = default;
  virtual void OnAssigned(std::span<const Partition> partitions) = 0;
  // The partitions are released when this returns: it is the last moment to store their offsets.
  // `lost`: another member may have them already, so nothing may be stored.
  virtual void OnRevoked(std::span<const Partition> partitions, bool lost) = 0;
  virtual void OnLag(std::span<const PartitionLag> lag, bool brokers_up) = 0;
};

class Source {
 public:
  virtual ~Source() = default;
  // REQUIRES: called before the first Poll(); the listener outlives the source, or Close().
  virtual void SetListener(SourceListener* listener) = 0;
  // Returns the next message, for which it waits at most `patience`; no value if none came.
  // kInvalid: this member can never continue, for example because Kafka has fenced it. The source
  // handles every other error itself.
  virtual Result<std::optional<SourceMessage>> Poll(std::chrono::milliseconds patience) = 0;
  // Has the positions committed, in the background and before the partitions are released. Ignores
  // positions of partitions that are no longer assigned.
  virtual void StoreOffsets(std::span<const Position> positions) = 0;
  // Returns the earliest offset that the partition still holds. Asks a broker, within 2 s.
  // kUnavailable: it does not answer now.
  virtual Result<int64_t> EarliestOffset(const Partition& partition) = 0;
  // Returns the offset after the partition's last message. Asks a broker, within 2 s. kUnavailable:
  // it does not answer now.
  virtual Result<int64_t> EndOffset(const Partition& partition) = 0;
  // Returns the group's committed positions in these partitions; a partition without one is left
  // out. Asks a broker, within 2 s. kUnavailable: it does not answer now.
  virtual Result<std::vector<Position>> CommittedOffsets(std::span<const Partition> partitions) = 0;
  // Has Poll() continue at `offset` in an assigned partition. Waits at most 2 s. kUnavailable: the
  // partition is not assigned, or the client is not ready; try again.
  virtual Status Seek(const Partition& partition, int64_t offset);
  // While paused, Poll() serves the group and returns no messages, except some that were fetched
  // before.
  virtual void Pause() = 0;
  virtual void Resume() = 0;
  // The same for these partitions alone, until they are revoked. Resume() without arguments resumes
  // them, too.
  virtual void Pause(std::span<const Partition> partitions) = 0;
  virtual void Resume(std::span<const Partition> partitions) = 0;
  // Commits what was stored and leaves the group. Only the destructor may follow.
  virtual void Close() = 0;
};

}  // namespace tidegate::reader
