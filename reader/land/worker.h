// One member of the consumer group: polls messages into a batch, lands the batch, parks what
// belongs to a database that fails alone (lanes.h), publishes as dead letters what can never land,
// and only then has the offsets committed. An outage of every database costs no message: the worker
// pauses its partitions, keeps polling, and tries again.
//
// Everything happens in Step() and Stop(), on the caller's thread; source, store and dead letters
// belong to that thread too. A step waits for a message as long as its argument says, and for the
// database and the dead-letter topic within their own limits of time.
//
// Invariants, each with the check that guards it:
// - Messages are forgotten only when they are done and their progress is stored, or when their
//   partition is revoked (Finish, Batch::Clear).
// - Offsets are stored only of messages that are done (Batch::Finished, Progress::Store).
// - Nothing follows Stop() (Step, Stop).
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <span>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "reader/database/document_store.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/batch.h"
#include "reader/land/batch_lander.h"
#include "reader/land/intake.h"
#include "reader/land/lanes.h"
#include "reader/land/member.h"
#include "reader/land/member_report.h"
#include "reader/land/preparation.h"
#include "reader/land/progress.h"
#include "reader/land/reader_metrics.h"
#include "reader/land/status_board.h"
#include "reader/land/waiting_since.h"

namespace tidegate::reader {

class Worker final : public Member, private SourceListener {
 public:
  struct Options {
    // A batch is written when it reaches one of these three. Larger batches are cheaper for the
    // database and cost memory and delay. REQUIRES: neither of the first two is 0.
    size_t batch_records = 5'000;
    size_t batch_bytes = 4 * 1024 * 1024;
    // A batch with fewer records for each of its collections is sparse: it may have so many times
    // as many records, within the same bytes.
    size_t namespace_records = 8;
    size_t sparse_growth = 4;
    // Since the batch's first message.
    std::chrono::milliseconds batch_interval{500};
    // How often a document is written that the database does not accept for no clear reason.
    int max_attempts = 4;
    // Between the attempts of a batch.
    Backoff::Options backoff{};
    // Between checks of the database while no message is pending.
    std::chrono::milliseconds ping_interval{10'000};
    // The main database, where the positions are kept.
    std::string database = "tidegate";
    // Every database that documents may land in, if it is known; empty: unknown.
    std::set<std::string> databases = {};
    // How long a slow database may keep the worker from polling Kafka; then it polls with the
    // partitions paused. The write that is under way comes on top: the database's limit of time for
    // each of `write_namespaces`, of which each of the threads writes one at a time. The sum must
    // stay far below max.poll.interval.ms, after which the group expels the member.
    std::chrono::milliseconds write_time{60'000};
    size_t write_namespaces = 16;
    size_t write_threads = 8;
    // The same when partitions are revoked or the reader stops, where others wait.
    std::chrono::milliseconds drain_time{10'000};
  };
  // All of them must outlive the worker.
  struct Parts {
    Source& source;
    DocumentStore& store;
    // For positions, losses, and the marks of parked lanes.
    ProjectionStore& projections;
    DeadLetters& dead_letters;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
    StatusBoard& board;
    // nullptr: nothing is enriched.
    Enrichment* enrichment = nullptr;
    // nullptr: nothing is parked, and any outage is waited for.
    Parking* parking = nullptr;
    // nullptr: no indexes are requested.
    IndexRequests* indexes = nullptr;
  };

  // Becomes the source's listener. `number` is this worker's place on the board.
  Worker(Options options, Parts parts, size_t number, uint64_t seed);

  // Polls what the source has, waiting at most `patience` for the first message, and makes one
  // attempt to land the batch if it is due. kInvalid: this member can never go on.
  Status Step(std::chrono::milliseconds patience) override;

  // Makes one attempt to land what is pending, stores the progress, and leaves the group. What did
  // not land is delivered again to whoever has the partition next.
  void Stop() override;

 private:
  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;

  void Add(SourceMessage message);
  void CountRefusal(const SourceMessage& message, const Refusal& refusal);
  bool Full() const;
  bool Due() const { return !batch_.empty() && intake_.Due(Full()); }
  Status Label();
  // Makes one attempt, and finishes or postpones the batch.
  void Land(std::chrono::milliseconds time, size_t namespaces);
  // Makes the last attempt before partitions are revoked, and stores the progress.
  void Drain();
  Status StoreProgress();
  void Finish();
  void BeginNextBatch();
  // Keeps the batch; another attempt follows after the backoff.
  void Postpone(const Status& status);
  // Keeps the batch; the next step continues it, because a slow database is no outage.
  void ContinueNextStep();
  // Pings the database, if a check is due.
  void CheckDatabase();
  void ExportWaiting(const Partition& partition);
  void Report(bool changed) { report_.Post(batch_.size(), changed); }
  MemberState& state() { return report_.state(); }
  const std::string& name() const { return report_.name(); }

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  Intake intake_;
  MemberReport report_;
  LogLimit trouble_log_;
  Batch batch_;
  Preparation preparation_;
  Lanes lanes_;
  BatchLander lander_;
  Progress progress_;
  WaitingSince waiting_;
  BootTime next_check_{};
  bool stopped_ = false;
};

}  // namespace tidegate::reader
