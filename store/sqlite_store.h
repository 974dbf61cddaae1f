// The store on SQLite. One thread. Format on disk, and the reasons for its settings:
// store/README.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "store/format/batch_codec.h"
#include "store/salvage_work.h"
#include "store/store.h"

namespace tidegate {

struct BatchRow;
struct EncodedBatch;
class SnapshotOffer;
class StoreSession;
class StoreWriter;

enum class Durability {
  // Append returns after an fsync.
  kPowerSafe,
  // Known loss: a power cut takes what the kernel has not written yet. The end of the process takes
  // nothing.
  kProcessSafe,
};

enum class FullPolicy {
  // Drops the oldest batch of the least urgent class and declares it with a gap record.
  kDropOldest,
  // Append returns kFull until something has been delivered.
  kStopReading,
};

class SqliteStore final : public Store, public SalvageWork {
 public:
  struct Options {
    // Path of the database file; its log and lock lie beside it.
    std::string path;
    // Named by gap records. REQUIRES: passes IsAssetName.
    std::string gateway;
    // Tenant of gap records about batches that are too damaged to show theirs.
    std::string tenant = "unknown";
    // All files together, at any moment. At least 1 MiB; an eighth of it (at most 8 MiB) is the
    // log's.
    uint64_t max_bytes = 256ull << 20;
    // 0: a sixteenth of max_bytes, at most 16 MiB. A dead letter keeps at most half of it of its
    // payload, and at most what one append may write.
    uint64_t max_dead_letter_bytes = 0;
    // A snapshot is due after this many records or batches, which is the most that a start replays.
    // Large enough that a snapshot of some 20 KB adds little to what is written, small enough for a
    // quick start.
    uint64_t max_replay_records = 4096;
    uint64_t max_replay_batches = 256;
    FullPolicy full = FullPolicy::kDropOldest;
    Durability durability = Durability::kPowerSafe;
    int compression_level = BatchCodec::kDefaultLevel;
    // SQLite VFS that the store's own one uses; empty is the system's. Tests put faults there.
    std::string vfs;
  };

  // Creates the database if it is missing. A damaged or foreign file is set aside, and a new store
  // replaces it, into which StepSalvage() moves what can be read. kInvalid: a later version wrote
  // it, or max_bytes is too small. kRejected: another agent uses it. kUnavailable: it cannot be
  // opened or written now. `clock`, `log` and `metrics` outlive the store.
  static Result<std::unique_ptr<SqliteStore>> Open(Options options, const Clock& clock,
                                                   const Log& log, Metrics& metrics);
  ~SqliteStore() override;

  bool IsReady() const override;
  bool IsSalvaging() const override;
  std::optional<std::chrono::nanoseconds> StepSalvage(BootTime deadline) override;
  void OnSalvage(std::function<void()> on_salvage) override;

  // kRejected: the request needs more than a quarter of the log that the store owns for good (512
  // KiB compressed by default, three pages for each dead letter), or more than the whole store. One
  // dead letter alone never does.
  Result<Seq> Append(const AppendRequest& request) override;
  Result<std::optional<Batch>> Next(const Cursor& after) override;
  void Delivered(RecordClass record_class, Seq first_seq) override;
  void Park(RecordClass record_class, Seq first_seq) override;
  Status Flush() override;
  void SetSnapshotSource(SnapshotSource source) override;
  Result<std::optional<Snapshot>> LoadSnapshot() override;
  Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) override;
  Result<std::optional<std::string>> ReadValue(std::string_view name) override;
  Status WriteValue(std::string_view name, std::string_view body) override;
  const std::string& epoch() const override;
  StoreUsage Usage() const override;

 private:
  SqliteStore(Options options, const Clock& clock, const Log& log);

  Result<std::vector<EncodedBatch>> Encode(const AppendRequest& request);
  Result<uint64_t> PagesFor(const AppendRequest& request,
                            const std::vector<EncodedBatch>& batches) const;
  Status DeleteWithAppend(StoreWriter& writer);
  // REQUIRES: the batches are the request's, numbered up to `through`.
  Status Write(const AppendRequest& request, const std::vector<EncodedBatch>& batches,
               uint64_t pages, Seq through);
  Status NeverFull(const AppendRequest& request, const Status& status) const;
  // Deletes what was delivered, then drops what the policy allows, until that many pages are free.
  // Dead letters alone drop older ones before any record. kFull: the policy allows no drop.
  Status MakeRoom(StoreWriter& writer, uint64_t pages, RecordClass protect, bool letters_only,
                  SnapshotOffer& offer);
  Status FlushSome();
  Result<std::optional<Batch>> NextOfAll(const Cursor& after);
  Result<std::optional<Batch>> NextOf(RecordClass record_class, Seq after);
  // kCorrupt: damaged, or the body belongs to another row.
  Result<Batch> DecodeRow(const BatchRow& row);
  // kCorrupt: the row was damaged and has been set aside; continue after it.
  Result<Batch> HandOut(const BatchRow& row);

  const Options options_;
  const Clock& clock_;
  const Log& log_;
  std::unique_ptr<StoreSession> session_;
};

}  // namespace tidegate
