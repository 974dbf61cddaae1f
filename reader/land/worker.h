// One member of the consumer group: fills a batch, lands it, publishes what cannot land, and only
// then lets the offsets go. It never gives a message up because a server is away: it pauses, keeps
// polling, and tries again.
//
// Everything happens in Step(), on the caller's thread; source, store and dead letters belong to
// that thread too. Step waits for a message as long as it is told, and for the database and the
// dead-letter topic as long as their limits of time allow.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "reader/consume/source.h"
#include "reader/database/document_store.h"
#include "reader/database/migrator.h"
#include "reader/database/projection_store.h"
#include "reader/decode/decoder.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/batch.h"
#include "reader/land/intake.h"
#include "reader/land/jump_watch.h"
#include "reader/land/member.h"
#include "reader/land/member_report.h"
#include "reader/land/offset_losses.h"
#include "reader/land/reader_metrics.h"
#include "reader/land/status_board.h"
#include "reader/land/waiting_since.h"

namespace tidegate::reader {

class Worker final : public Member, private SourceListener {
 public:
  struct Options {
    // A batch is written at the first of these. Larger ones are cheaper for the database and cost
    // memory and delay.
    size_t batch_records = 5'000;
    size_t batch_bytes = 4 * 1024 * 1024;
    std::chrono::milliseconds batch_interval{500};  // Since its first message.
    int max_attempts = 4;  // Of one document that the database does not take for no clear reason.
    Backoff::Options backoff{};                       // Between the attempts of a batch.
    std::chrono::milliseconds ping_interval{10'000};  // With nothing in hand.
    // What has expired goes this often, and so many documents at a time, so that the landing goes
    // on in between.
    std::chrono::milliseconds expiry_interval{10'000};
    size_t expiry_documents = 1'000;
    std::string database = "tidegate";  // Where its positions are kept.
    // How long a slow database may hold the worker before it polls Kafka again, with the partitions
    // paused; the write that is under way then comes on top (a limit of time for each of at most
    // `write_namespaces`). Far below max.poll.interval.ms, after which the member is thrown out.
    std::chrono::milliseconds write_time{60'000};
    size_t write_namespaces = 4;
    // The same when partitions are given up or the reader stops, where others wait.
    std::chrono::milliseconds drain_time{10'000};
  };
  struct Parts {
    Source& source;
    DocumentStore& store;
    ProjectionStore& projections;  // For positions, losses and migrations.
    DeadLetters& dead_letters;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
    StatusBoard& board;
    Enrichment* enrichment = nullptr;  // nullptr: nothing is enriched.
  };

  // `number` is this worker's place on the board.
  Worker(Options options, Parts parts, size_t number, uint64_t seed);

  // Takes what the source has, waiting at most `patience` for the first message, and writes the
  // batch if it is due. kInvalid: this member can never go on.
  Status Step(std::chrono::milliseconds patience) override;

  // Lands what is in hand with one attempt, stores the offsets of what is done, leaves the group.
  // What did not land comes again.
  void Stop() override;

 private:
  void OnAssigned(std::span<const Partition> partitions) override;
  void OnRevoked(std::span<const Partition> partitions, bool lost) override;
  void OnLag(std::span<const PartitionLag> lag, bool brokers_up) override;

  void Add(SourceMessage message);
  void CountRefusal(const SourceMessage& message, const Refusal& refusal);
  bool Full() const;
  bool Due() const { return !batch_.empty() && intake_.Due(Full()); }
  // One attempt to bring the batch to its end.
  void Land(std::chrono::milliseconds time, size_t namespaces);
  // The last attempt before partitions go.
  void Drain();
  // Before the first write.
  Status Migrate();
  Status EnsureIndexes();
  Status WriteDocuments(size_t namespaces);
  void Count(const Batch::Tally& tally);
  bool OutOfTime() const { return parts_.clock.SinceBoot() >= give_way_at_; }
  // The batch goes on with the next step: a slow database is no outage.
  void GiveWay();
  void Enrich(Document& document);
  Status PublishLetters();
  // Positions first, then the offsets: a projector may fold what the positions are past.
  Status StoreFinished();
  void StoreInPassing();
  // The batch is done: its offsets may go.
  void Finish();
  void LetGo();
  // The batch stays in hand; another attempt follows.
  void Postpone(const Status& status);
  void WhenIdle();
  // Removes some of what has expired, where the database does not do it by itself.
  void Expire();
  void TellWaiting(const Partition& partition);
  void Report(bool changed) { report_.Post(batch_.size(), changed); }
  WorkerState& state() { return report_.state(); }
  const std::string& name() const { return report_.name(); }

  const Options options_;
  Parts parts_;
  Backoff backoff_;
  Intake intake_;
  MemberReport report_;
  LogLimit trouble_log_;
  LogLimit refusal_log_;

  Batch batch_;
  OffsetLosses losses_;
  JumpWatch jumps_;
  BootTime give_way_at_{};  // When Land is to end.
  Migrator migrator_;
  bool migrated_ = false;
  std::optional<Error> unfit_;  // The database is a later version's.
  WaitingSince waiting_;
  std::set<Namespace> indexed_;
  BootTime next_ping_{};
  BootTime next_expiry_{};
};

}  // namespace tidegate::reader
