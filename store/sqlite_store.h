// The store on SQLite. One thread. Format on disk, and why its settings are what they are:
// store/README.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "store/format/batch_codec.h"
#include "store/store.h"

namespace tidegate {

enum class Durability {
  kPowerSafe,    // Append returns after an fsync.
  kProcessSafe,  // It survives the end of the process; a power cut takes what the kernel had not
                 // written yet.
};

enum class FullPolicy {
  kDropOldest,   // The oldest batch of the lowest class makes room, and a gap record tells.
  kStopReading,  // Append returns kFull until something has been delivered.
};

class SqliteStore final : public Store {
 public:
  struct Options {
    std::string path;                // Of the database file; its log and lock lie beside it.
    std::string gateway;             // Passes IsAssetName; named by gap records.
    std::string tenant = "unknown";  // Of gap records about batches too damaged to tell theirs.
    // All files together, at any moment. At least 1 MiB; an eighth of it (at most 8 MiB) is the
    // log's.
    uint64_t max_bytes = 256ull << 20;
    uint64_t max_dead_letter_bytes = 0;        // 0: a sixteenth of max_bytes, at most 16 MiB.
    uint64_t max_payload_bytes = 64ull << 10;  // Of one dead letter; the rest is cut off.
    // A snapshot is due behind so many records or batches: what a start has to replay at most.
    // Enough that one of some 20 KB adds little to what is written, few enough for a quick start.
    uint64_t max_replay_records = 4096;
    uint64_t max_replay_batches = 256;
    FullPolicy full = FullPolicy::kDropOldest;
    Durability durability = Durability::kPowerSafe;
    int compression_level = BatchCodec::kDefaultLevel;
    std::string
        vfs;  // What the store's own VFS stands on; empty is the system's. Tests put faults there.
  };

  // Creates the database if it is not there. A damaged or foreign file is set aside, and a new
  // store with what could be read takes its place. kInvalid: a later version wrote it, or max_bytes
  // is too small. kRejected: another agent uses it. kUnavailable: cannot be opened or written now.
  // `clock`, `log` and `metrics` outlive it.
  static Result<std::unique_ptr<SqliteStore>> Open(Options options, const Clock& clock,
                                                   const Log& log, Metrics& metrics);
  ~SqliteStore() override;

  // kRejected: the request needs more than a quarter of the log that the store owns for good (512
  // KiB compressed by default, three pages for each dead letter), or more than the whole store.
  Result<Seq> Append(const AppendRequest& request) override;
  Result<std::optional<Batch>> Next(const Cursor& after) override;
  void Delivered(RecordClass record_class, Seq first_seq) override;
  Status Flush() override;
  void SetSnapshotSource(SnapshotSource source) override;
  Result<std::optional<Snapshot>> LoadSnapshot() override;
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override;
  Result<std::optional<std::string>> ReadValue(std::string_view name) override;
  Status WriteValue(std::string_view name, std::string_view body) override;
  const std::string& epoch() const override;
  StoreUsage Usage() const override;

 private:
  class Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate
