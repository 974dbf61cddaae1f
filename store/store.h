// The durable log between the pipeline and the uplink. One thread. Format on disk: store/README.md.
#pragma once

#include <array>
#include <chrono>
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

namespace tidegate {

// The clocks at the moment of an append, so that records of an unsynchronised clock can be dated
// later.
struct ClockStamp {
  std::string boot_id;
  BootTime since_boot{};
  WallTime wall{};
  bool synced = false;
};

// The clocks now.
ClockStamp StampNow(const Clock& clock);

// How a record came in: what a restart needs to fold it again exactly as it was folded, and to
// recognise its message when it is delivered once more. None of it leaves the gateway.
struct Arrival {
  // In the boot of the batch's stamp. Kept for records that the gateway dated; 0 for the others.
  std::chrono::milliseconds since_boot{};
  uint32_t position = 0;  // Among all records of its commit, in the order in which they arrived.
  uint16_t input = 0;     // Index into the names of inputs beside it.
  // Of the message that held it; a message of several records gives them one behind the other.
  std::optional<uint16_t> packet_id;

  friend bool operator==(const Arrival&, const Arrival&) = default;
};

// How an earlier store had numbered records that were salvaged from it: their ids stay what they
// were.
struct Numbering {
  std::string epoch;
  Seq first_seq = 0;

  friend bool operator==(const Numbering&, const Numbering&) = default;
};

// Records of one class that arrived together: one row, one unit of eviction and of acknowledgement.
struct Batch {
  Seq first_seq = 0;  // Of records.front(); the others follow without a hole.
  RecordClass record_class = RecordClass::kHeartbeat;
  ClockStamp stamp;
  std::vector<Record> records;
  std::vector<Arrival> arrivals;       // One for each record, or none at all (alerts, gaps).
  std::vector<std::string> inputs;     // That arrivals name by index; empty without arrivals.
  std::optional<Numbering> numbering;  // Only if another store numbered them first.
};

// A payload that will never become a record, kept with its reason under a byte limit of its own
// (oldest given up first, counted).
struct DeadLetter {
  std::string input;    // Name of the input, or "uplink".
  std::string origin;   // Topic, device path, ...
  std::string reason;   // For people, one line.
  std::string payload;  // As it came; cut to Options' limit.
  WallTime time{};
};

// All of it is one transaction.
struct AppendRequest {
  struct NewBatch {
    RecordClass record_class;
    std::span<const Record> records;      // REQUIRES: not empty, all of that class.
    std::span<const Arrival> arrivals{};  // One for each record, or none.
  };
  std::vector<NewBatch> batches;
  std::span<const std::string> inputs;  // That arrivals name by index.
  std::span<const DeadLetter> dead_letters;
  ClockStamp stamp;
};

// The last batch that was taken, for each class.
struct Cursor {
  std::array<Seq, kRecordClassCount> last{};
};

// What the fold over all records up to a seq has come to; the body is its maker's own format.
struct Snapshot {
  std::string body;
  Seq through = 0;
};

struct StoreUsage {
  std::array<uint64_t, kRecordClassCount> records{};  // Not yet delivered.
  uint64_t batches = 0;
  uint64_t bytes = 0;  // Database and write-ahead log, as the limit counts them.
  uint64_t max_bytes = 0;
  uint64_t dead_letters = 0;
  uint64_t set_aside_files = 0;  // Damaged or foreign, beside the store; not part of `bytes`.
  uint64_t set_aside_bytes = 0;
  std::optional<WallTime>
      oldest;  // When the oldest stored batch was appended, by the wall clock of then.
  uint64_t total_records() const;
};

class Store {
 public:
  virtual ~Store() = default;

  // One transaction: all or none. After OK everything in it survives power loss
  // (Options::durability). Returns the seq of the first record (batches are numbered in the order
  // given), or the next free seq if there are only dead letters. kFull: over max_bytes and the
  // policy is kStopReading. kRejected: a batch that can never fit. kUnavailable: I/O error; the
  // handle has been reopened and checked, and nothing of the request is stored.
  virtual Result<Seq> Append(const AppendRequest& request) = 0;

  // The oldest undelivered batch of the most urgent class that follows `after` in its class;
  // nullopt if there is none.
  virtual Result<std::optional<Batch>> Next(const Cursor& after) = 0;

  // The batch has been delivered. Deleted with the next Append or Flush; a crash before that only
  // repeats the delivery.
  virtual void Delivered(RecordClass record_class, Seq first_seq) = 0;

  // Writes pending deletes in a transaction without an fsync. Called after a second of quiet and
  // before closing.
  virtual Status Flush() = 0;

  // Asked while an Append or a Flush writes, when the store wants to save a snapshot: the state
  // that covers everything of that Append and before. nullopt: none can be had now (Flush, while
  // records wait that no Append has stored). From then on a heartbeat or reading stays in the
  // store, even delivered, until a saved snapshot covers it: LoadSnapshot and Replay give the whole
  // fold. Without a source nothing is kept for replay. `source` is called on the store's thread,
  // and may not call the store.
  using SnapshotSource = std::function<std::optional<std::string>()>;
  virtual void SetSnapshotSource(SnapshotSource source) = 0;
  // The newest saved one; nullopt if there is none.
  virtual Result<std::optional<Snapshot>> LoadSnapshot() = 0;
  // The first batch of the class behind seq `after`, delivered or not; nullopt if there is none.
  // Hands nothing out. A damaged one is passed over.
  virtual Result<std::optional<Batch>> Replay(RecordClass record_class, Seq after) = 0;

  // Small named values that outlive a restart (what a byte budget has used, how far a boot's clock
  // was off). Writing is a transaction of its own, as durable as an Append: seldom.
  virtual Result<std::optional<std::string>> ReadValue(std::string_view name) = 0;
  virtual Status WriteValue(std::string_view name, std::string_view body) = 0;

  // Drawn at random when the store was created; 8 lower-case hex digits. Together with the gateway
  // and a seq it names a record for ever.
  virtual const std::string& epoch() const = 0;

  virtual StoreUsage Usage() const = 0;
};

}  // namespace tidegate
