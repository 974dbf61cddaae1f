// The states of all workers and projectors, which they post and the main thread reads: for
// readiness, /stats and the watchdog. Any thread; a lock is held only to copy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/annotated_mutex.h"
#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

enum class MemberRole { kLand, kProject, kUnpark, kUpkeep };

struct MemberState {
  std::string name = {};
  MemberRole role = MemberRole::kLand;
  // The database answered the last time.
  bool database_up = false;
  // At least one broker is connected.
  bool kafka_up = false;
  // The member has ended, after a failure or on request.
  bool stopped = false;
  // It has ended because it can never continue.
  bool failed = false;
  // Why it cannot work now, for people; empty: it can.
  std::string trouble = {};
  // Which databases' records are parked, and why, for people. The member itself goes on.
  std::vector<std::string> parked = {};
  // The messages that are polled and not finished.
  size_t pending = 0;
  std::vector<PartitionLag> partitions = {};
  // Counts since the start: documents, duplicates among them, and published dead letters.
  uint64_t landed = 0;
  uint64_t duplicates = 0;
  uint64_t dead_letters = 0;
  // Partitions whose log was found to have begun anew (partition_epochs.h).
  uint64_t logs_begun_anew = 0;
  // Documents folded into projections.
  uint64_t projected = 0;
  // Projections that the database refused.
  uint64_t refused_projections = 0;
  // Databases whose projections lag alone, and why, for people.
  std::vector<std::string> lagging = {};
  // When the member last posted. A turn posts at least once a second.
  BootTime last_turn{};
};

class StatusBoard {
 public:
  // Has places 0 to workers-1.
  explicit StatusBoard(size_t workers) : states_(workers) {}

  // REQUIRES: `worker` is a place of the board.
  void Post(size_t worker, MemberState state);
  std::vector<MemberState> Read() const;

 private:
  mutable AnnotatedMutex mutex_;
  std::vector<MemberState> states_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
