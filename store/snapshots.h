// When the store saves a snapshot of the fold, where the fold's state comes from, and what is said
// when a snapshot cannot be saved or read. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/clock.h"
#include "core/log.h"
#include "store/store.h"
#include "store/store_metrics.h"
#include "store/transaction/store_contents.h"

namespace tidegate {

class Snapshots {
 public:
  struct Limits {
    // A larger body is not saved.
    uint64_t max_bytes = 0;
    // A snapshot is due when this many records or batches follow the previous one.
    uint64_t max_replay_records = 0;
    uint64_t max_replay_batches = 0;
  };

  // Clock, log and metrics outlive the object.
  Snapshots(const Limits& limits, const Clock& clock, const Log& log, StoreMetrics& metrics);

  void SetSource(Store::SnapshotSource source) { source_ = std::move(source); }
  const Store::SnapshotSource& source() const { return source_; }
  // True if there is a source: what no snapshot covers then stays stored for replay.
  bool has_source() const { return source_ != nullptr; }
  const Limits& limits() const { return limits_; }
  // False without a source.
  bool IsDue(const StoreContents& contents) const;
  // Counts the error and logs it, at most once a minute. `why` continues "the snapshot ...".
  void CountError(std::string_view why);

 private:
  const Limits limits_;
  const Clock& clock_;
  const Log& log_;
  StoreMetrics& metrics_;
  LogLimit error_limit_;
  Store::SnapshotSource source_;
};

}  // namespace tidegate
