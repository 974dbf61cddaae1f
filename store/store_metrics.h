// The store's metrics: it registers them and maps record classes to their labels. Private to
// store/; one thread.
#pragma once

#include <array>
#include <chrono>

#include "core/metrics.h"
#include "core/record.h"
#include "store/store.h"

namespace tidegate {

class StoreMetrics {
 public:
  // `metrics` outlives the object.
  explicit StoreMetrics(Metrics& metrics);

  void CountDropped(RecordClass record_class, uint64_t records) {
    dropped_[Index(record_class)]->Increment(Double(records));
  }
  void CountDamaged(RecordClass record_class, uint64_t records) {
    damaged_[Index(record_class)]->Increment(Double(records));
  }
  void CountDroppedLetters(uint64_t letters) { dropped_letters_.Increment(Double(letters)); }
  void CountTruncatedLetters(uint64_t letters) { truncated_letters_.Increment(Double(letters)); }
  void CountError() { errors_.Increment(); }
  void CountSalvage() { salvages_.Increment(); }
  // `progress`: of the file that is being moved, from 0 to 1.
  void SetSalvage(size_t files, double progress) {
    salvaging_.Set(static_cast<double>(files));
    salvage_progress_.Set(progress);
  }
  void CountFull() { full_.Increment(); }
  void CountDiskFull() { disk_full_.Increment(); }
  void CountSnapshotError() { snapshot_errors_.Increment(); }
  void ObserveCommit(std::chrono::nanoseconds duration) {
    commit_seconds_.Observe(std::chrono::duration<double>(duration).count());
  }
  // Sets the gauges, and raises the two counters to `written_bytes` and `syncs`.
  void Update(const StoreUsage& usage, uint64_t file_bytes, uint64_t written_bytes, uint64_t syncs);

 private:
  static size_t Index(RecordClass record_class) { return static_cast<size_t>(record_class); }
  static double Double(uint64_t number) { return static_cast<double>(number); }

  std::array<Metrics::Gauge*, kRecordClassCount> records_{};
  std::array<Metrics::Counter*, kRecordClassCount> dropped_{};
  std::array<Metrics::Counter*, kRecordClassCount> damaged_{};
  Metrics::Gauge& batches_;
  Metrics::Gauge& bytes_;
  Metrics::Gauge& max_bytes_;
  Metrics::Gauge& file_bytes_;
  Metrics::Gauge& dead_letters_;
  Metrics::Gauge& set_aside_bytes_;
  Metrics::Gauge& salvaging_;
  Metrics::Gauge& salvage_progress_;
  Metrics::Counter& dropped_letters_;
  Metrics::Counter& truncated_letters_;
  Metrics::Counter& errors_;
  Metrics::Counter& salvages_;
  Metrics::Counter& full_;
  Metrics::Counter& disk_full_;
  Metrics::Counter& snapshot_errors_;
  Metrics::Counter& written_bytes_;
  Metrics::Counter& syncs_;
  Metrics::Histogram& commit_seconds_;
};

}  // namespace tidegate
