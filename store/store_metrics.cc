#include "store/store_metrics.h"

namespace tidegate {

StoreMetrics::StoreMetrics(Metrics& metrics)
    : batches_(metrics.AddGauge("tidegate_store_batches", "Batches in the store.")),
      bytes_(metrics.AddGauge("tidegate_store_bytes", "Bytes in use, as the limit counts them.")),
      max_bytes_(metrics.AddGauge("tidegate_store_max_bytes", "The limit.")),
      file_bytes_(metrics.AddGauge("tidegate_store_file_bytes", "Size of the store's files.")),
      dead_letters_(metrics.AddGauge("tidegate_store_dead_letters", "Dead letters in the store.")),
      set_aside_bytes_(metrics.AddGauge("tidegate_store_set_aside_bytes",
                                        "Size of damaged and foreign files beside the store.")),
      salvaging_(metrics.AddGauge("tidegate_store_salvaging",
                                  "Damaged files that are being moved into the store.")),
      salvage_progress_(metrics.AddGauge("tidegate_store_salvage_progress",
                                         "Part of the damaged file that was moved, 0 to 1.")),
      dropped_letters_(metrics.AddCounter("tidegate_store_dead_letters_dropped_total",
                                          "Dead letters given up for newer ones.")),
      truncated_letters_(
          metrics.AddCounter("tidegate_store_dead_letters_truncated_total",
                             "Dead letters that keep only the beginning of their payload.")),
      errors_(metrics.AddCounter("tidegate_store_errors_total",
                                 "I/O errors; the store was closed and opened again after each.")),
      salvages_(metrics.AddCounter("tidegate_store_salvages_total",
                                   "Damaged files that a new store has taken the place of.")),
      full_(metrics.AddCounter("tidegate_store_full_total", "Appends refused for want of room.")),
      disk_full_(metrics.AddCounter("tidegate_store_disk_full_total",
                                    "Transactions for which the file system had no more room.")),
      snapshot_errors_(
          metrics.AddCounter("tidegate_store_snapshot_errors_total",
                             "Snapshots of the alerts' state that could not be saved or read.")),
      written_bytes_(
          metrics.AddCounter("tidegate_store_written_bytes_total", "Bytes written to files.")),
      syncs_(metrics.AddCounter("tidegate_store_syncs_total", "Calls of fsync.")),
      commit_seconds_(metrics.AddHistogram(
          "tidegate_store_commit_seconds", "Time of an append, fsync included.",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5})) {
  for (const RecordClass record_class : kRecordClasses) {
    const std::string name(RecordClassName(record_class));
    records_[Index(record_class)] = &metrics.AddGauge(
        "tidegate_store_records", "Records not yet delivered.", {{"class", name}});
    dropped_[Index(record_class)] = &metrics.AddCounter("tidegate_store_dropped_records_total",
                                                        "Records given up; a gap record tells.",
                                                        {{"class", name}, {"reason", "full"}});
    damaged_[Index(record_class)] = &metrics.AddCounter("tidegate_store_dropped_records_total",
                                                        "Records given up; a gap record tells.",
                                                        {{"class", name}, {"reason", "damaged"}});
  }
}

void StoreMetrics::Update(const StoreUsage& usage, uint64_t file_bytes, uint64_t written_bytes,
                          uint64_t syncs) {
  for (size_t i = 0; i < kRecordClassCount; ++i) records_[i]->Set(Double(usage.records[i]));
  batches_.Set(Double(usage.batches));
  bytes_.Set(Double(usage.bytes));
  max_bytes_.Set(Double(usage.max_bytes));
  file_bytes_.Set(Double(file_bytes));
  dead_letters_.Set(Double(usage.dead_letters));
  set_aside_bytes_.Set(Double(usage.set_aside_bytes));
  written_bytes_.Increment(Double(written_bytes) - written_bytes_.Value());
  syncs_.Increment(Double(syncs) - syncs_.Value());
}

}  // namespace tidegate
