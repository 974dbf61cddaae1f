// The durable log between the pipeline and the uplink. One thread. Format on disk: store/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/record.h"
#include "core/result.h"
#include "store/batch.h"
#include "store/dead_letter.h"

namespace tidegate {

// What one transaction appends.
struct AppendRequest {
  struct NewBatch {
    RecordClass record_class;
    // REQUIRES: not empty, all of that class.
    std::span<const Record> records;
    // One for each record, or empty. REQUIRES: each names one of `inputs`.
    std::span<const Arrival> arrivals{};
  };
  std::vector<NewBatch> batches;
  std::span<const std::string> inputs;
  std::span<const DeadLetter> dead_letters;
  // The dead letters are about records that are still stored. No fsync is needed, because the
  // records' deletes follow in the log; and the letters do not wait for deliveries to make room,
  // because deliveries may wait for them: kRejected in place of kFull. REQUIRES: no batches.
  bool of_stored_records = false;
  ClockStamp stamp;
};

// The largest seq: the store keeps seqs of 56 bits.
inline constexpr Seq kMaxSeq = (Seq{1} << 56) - 1;

// For each class, the first seq of the last batch that the reader has taken; 0: none; kMaxSeq: no
// batch follows, so that the class is left out. REQUIRES: none is larger.
struct Cursor {
  std::array<Seq, kRecordClassCount> last{};
};

// The state of the fold over all records up to a seq. The body is in its maker's own format.
struct Snapshot {
  std::string body;
  Seq through = 0;
};

struct StoreUsage {
  // Undelivered records of each class, and their batches.
  std::array<uint64_t, kRecordClassCount> records{};
  uint64_t batches = 0;
  // Database and write-ahead log, as the limit counts them.
  uint64_t bytes = 0;
  uint64_t max_bytes = 0;
  uint64_t dead_letters = 0;
  // Since the store was opened: dead letters that were dropped for newer ones, and those that keep
  // only the beginning of their payload.
  uint64_t dead_letters_dropped = 0;
  uint64_t dead_letters_truncated = 0;
  // How much of a damaged file has been moved into this store; nullopt: none is being moved.
  std::optional<unsigned> salvage_percent;
  // Damaged or foreign files beside the store; not part of `bytes`.
  uint64_t set_aside_files = 0;
  uint64_t set_aside_bytes = 0;
  // Wall time at which the oldest undelivered batch was appended.
  std::optional<WallTime> oldest;
  uint64_t total_records() const;
};

class Store {
 public:
  virtual ~Store() = default;

  // Appends everything in one transaction, or nothing. After OK it survives power loss
  // (Options::durability). Returns the seq of the first record (batches are numbered in the order
  // given), or the next free seq if there are only dead letters. kFull: over max_bytes and the
  // policy is kStopReading. kRejected: a batch that can never fit. kUnavailable: I/O error; the
  // handle has been reopened and checked, and nothing of the request is stored.
  virtual Result<Seq> Append(const AppendRequest& request) = 0;
  // Returns the oldest undelivered batch of the most urgent class that follows `after` in its
  // class, and marks it as handed out; nullopt if there is none.
  virtual Result<std::optional<Batch>> Next(const Cursor& after) = 0;
  // The batch has been delivered. It is deleted with the next Append or Flush; a crash before that
  // only repeats the delivery. Does nothing if the batch is not handed out (it was dropped).
  virtual void Delivered(RecordClass record_class, Seq first_seq) = 0;
  // Nothing of the batch can be delivered now, because the server accepts nothing of its kind: if
  // the store has to drop heartbeats or readings, it begins with such. Holds until the batch is
  // delivered, or the store opened again. Does nothing if the batch is not handed out.
  virtual void Park(RecordClass record_class, Seq first_seq) = 0;
  // Writes pending deletes in a transaction without an fsync. Called after a second of quiet and
  // before closing.
  virtual Status Flush() = 0;

  // The store calls the source while an Append or a Flush writes and a snapshot is due. It returns
  // the state that covers everything up to the end of that Append; nullopt: there is none now
  // (Flush, while records wait that no Append has stored). With a source a heartbeat or reading
  // stays stored, even delivered, until a saved snapshot covers it, so that LoadSnapshot and Replay
  // give the whole fold; without one nothing stays for replay. REQUIRES: the source does not call
  // the store.
  using SnapshotSource = std::function<std::optional<std::string>()>;
  virtual void SetSnapshotSource(SnapshotSource source) = 0;
  // Returns the newest saved snapshot; nullopt if there is none.
  virtual Result<std::optional<Snapshot>> LoadSnapshot() = 0;
  // Returns the first batch of the class with a first seq > `after`, delivered or not; nullopt if
  // there is none. Does not mark it as handed out. Skips damaged batches.
  virtual Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) = 0;

  // Small named values that survive a restart (what a byte budget has used, how far a boot's clock
  // was off). A write is a transaction of its own, as durable as an Append, so it should be rare.
  virtual Result<std::optional<std::string>> ReadValue(std::string_view name) = 0;
  virtual Status WriteValue(std::string_view name, std::string_view body) = 0;

  // Eight lower-case hex digits, drawn at random when the store was created. Together with the
  // gateway and a seq the epoch names a record for ever.
  virtual const std::string& epoch() const = 0;

  virtual StoreUsage Usage() const = 0;
};

}  // namespace tidegate
