// One attempt to bring a batch to its end: writes the documents, parks those whose database fails
// alone (lanes.h), and publishes as dead letters what can never land. It does not decide what
// follows an attempt; the worker does. One thread. It waits for the database and the dead-letter
// topic within their own limits of time.
#pragma once

#include <cstddef>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "reader/consume/dead_letters.h"
#include "reader/database/document_store.h"
#include "reader/enrich/enrichment.h"
#include "reader/land/batch.h"
#include "reader/land/lanes.h"
#include "reader/land/member_report.h"
#include "reader/land/preparation.h"
#include "reader/land/reader_metrics.h"

namespace tidegate::reader {

class BatchLander {
 public:
  // All of them must outlive the lander. `report` receives what landed, and whether the database
  // answered.
  struct Parts {
    DocumentStore& store;
    DeadLetters& dead_letters;
    Preparation& preparation;
    Lanes& lanes;
    Enrichment* enrichment;  // nullptr: nothing is enriched.
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
    MemberReport& report;
  };
  // What one attempt may cost.
  struct Limits {
    // No write begins after it.
    BootTime deadline;
    // One write covers at most so many namespaces, each of which may take the database's limit of
    // time. REQUIRES: not 0.
    size_t namespaces;
  };

  // A document that the database does not accept for no clear reason is written `max_attempts`
  // times. REQUIRES: at least once.
  BatchLander(int max_attempts, Parts parts);

  // OK: the batch is done, or its documents need another attempt (because of the deadline, or
  // because the database asks for one). kUnavailable: every database, the parking topic or the
  // dead-letter topic; the same batch needs another attempt. kInvalid: the preparation's, a later
  // version's database.
  Status Land(Batch& batch, const Limits& limits);

 private:
  Status WriteDocuments(Batch& batch, const Limits& limits);
  // Writes some of the batch's documents, from `first` on. A failure of all of them is the result
  // of each.
  std::vector<WriteResult> Write(std::span<const Document> documents);
  // Parks what belongs to the databases that fail. kUnavailable: they are to be waited for.
  Status Divert(const Lanes::Failures& failures, Batch& batch);
  Status ParkRecords(Batch& batch);
  void EnrichAgain(Batch& batch);
  void Count(const Batch::Tally& tally);
  Status PublishLetters(Batch& batch);
  bool IsPast(BootTime deadline) const { return parts_.clock.SinceBoot() >= deadline; }

  const int max_attempts_;
  Parts parts_;
  LogLimit refusal_log_;
};

}  // namespace tidegate::reader
