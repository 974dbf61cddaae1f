// What workers and projectors tell the main thread about themselves, for readiness, /stats and the
// watchdog. Any thread; a lock is held only to copy.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/annotated_mutex.h"
#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

enum class MemberRole { kLand, kProject };

struct WorkerState {
  std::string name = {};
  MemberRole role = MemberRole::kLand;
  bool database_up = false;  // It answered last time.
  bool kafka_up = false;     // A broker is connected.
  bool stopped = false;      // The worker has ended.
  bool failed = false;       // It ended because it can never go on.
  std::string trouble = {};  // What keeps it from its work now; empty: nothing.
  size_t in_hand = 0;        // Messages that are polled and not yet done.
  std::vector<PartitionLag> partitions = {};
  uint64_t landed = 0;
  uint64_t duplicates = 0;
  uint64_t dead_letters = 0;
  uint64_t projected = 0;  // Documents folded.
  BootTime last_turn{};    // When it last came round.
};

class StatusBoard {
 public:
  explicit StatusBoard(size_t workers) : states_(workers) {}

  void Post(size_t worker, WorkerState state);
  std::vector<WorkerState> Read() const;

 private:
  mutable AnnotatedMutex mutex_;
  std::vector<WorkerState> states_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
