// The member that lands what workers have parked: one member of a consumer group of the parking
// topic. It lands records of each database in their order, folds them into the projections, and
// lowers the marks (parking_marks.h), after which the workers land that database's records directly
// again. A database that stays unreachable holds up no other one (parked_partition.h): its records
// stay in the topic, and the group's offset stays before them.
//
// A document that lands from here names its place in the parking topic as a dead letter's
// (LetterPlace), by which the projections fold it once.
//
// Everything happens in Step() and Stop(), on the caller's thread; source, stores and dead letters
// belong to that thread too.
// Known loss: what Kafka deletes from the parking topic before it could land; it is counted and
// logged. If the topic was made anew or truncated, that is what waited, and the new log is read
// from its beginning (back_watch.h). Known limits: a new log that has grown past the old position
// before anybody reads it is not noticed, and projections take its records for those of the old log
// at the same offsets.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "reader/consume/log_ends.h"
#include "reader/consume/source.h"
#include "reader/decode/decoder.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/index_requests.h"
#include "reader/land/member.h"
#include "reader/land/member_report.h"
#include "reader/land/parking_marks.h"
#include "reader/land/reader_metrics.h"
#include "reader/land/status_board.h"
#include "reader/park/back_watch.h"
#include "reader/park/parked_batch.h"
#include "reader/park/parked_partition.h"

namespace tidegate::reader {

// The name that documents from the parking topic carry instead of a replay's.
inline constexpr const char* kParkedReplay = "parked";

class Unparker final : public Member, private SourceListener {
 public:
  struct Options {
    // A batch lands at the first of these limits.
    size_t batch_records = 500;
    size_t batch_bytes = 1024 * 1024;
    int max_attempts = 4;
    ParkedPartition::Options partition = {};
    // How long a turn of waiting databases may hold up those that do not wait, and the other way.
    std::chrono::milliseconds turn{2'000};
    // How long and how often a mark is looked at after records of its database have landed, because
    // the worker may raise it later.
    std::chrono::milliseconds mark_time{10'000};
    std::chrono::milliseconds mark_interval{1'000};
    // The main database, which holds the marks.
    std::string database = "tidegate";
    Folder::Options folder = {};
  };
  // All of them must outlive the unparker.
  struct Parts {
    Source& source;
    DocumentStore& store;
    ProjectionStore& projections;
    DeadLetters& dead_letters;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
    StatusBoard& board;
    // nullptr: nothing is enriched.
    Enrichment* enrichment = nullptr;
    // nullptr: no indexes are requested.
    IndexRequests* indexes = nullptr;
  };

  // Becomes the source's listener. `place` is its row on the board.
  Unparker(Options options, Parts parts, size_t place);

  Status Step(std::chrono::milliseconds patience) override;
  void Stop() override;

 private:
  struct Landed {
    Offsets positions = {};
    // Until then its mark is looked at.
    BootTime until{};
    // When its mark is compared with the ends of the partitions.
    BootTime bound_at{};
  };

  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;

  // Polls until the batch is full, a turn is over, or no message comes. Returns true if one came.
  Result<bool> Take(std::chrono::milliseconds patience);
  void Add(SourceMessage raw);
  // Returns false if the message is to be left out, because it is read again after earlier ones.
  bool CheckLog(const Partition& partition, int64_t offset, ParkedPartition& state);
  void BeginAnew(const Partition& partition, ParkedPartition& state);
  bool Seek(const Partition& partition, int64_t offset);
  bool Full() const;
  void Land();
  // Returns why nobody may fold now; no value: somebody may.
  std::optional<std::string> FoldingIsClosed();
  void Apply(const ParkedBatch::Outcome& outcome);
  void StoreOffsets();
  void Turn(const Partition& partition, ParkedPartition& state);
  void BeginTurn(const Partition& partition, ParkedPartition& state);
  void LowerMarks();
  Status BoundMarks();
  bool Waits(const std::string& database) const;
  void Report(bool changed);

  const Options options_;
  Parts parts_;
  MemberReport report_;
  LogLimit trouble_log_;
  ParkingMarks marks_;
  LogEnds ends_;
  ReplayedFold fold_;
  ParkedBatch batch_;
  std::map<Partition, ParkedPartition> partitions_;
  std::map<Partition, BackWatch> watches_;
  // When the present turn, or the time between two of them, ends.
  std::map<Partition, BootTime> turn_ends_;
  // Databases of which records have landed lately.
  std::map<std::string, Landed> landed_;
  BootTime next_marks_{};
};

}  // namespace tidegate::reader
