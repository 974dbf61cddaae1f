// Keeps the databases as this version expects them, beside the landing: applies the migrations,
// makes the indexes of the collections that the workers request, and removes expired documents
// where the database does not. It may take as long as it needs: no record waits for it. A database
// that fails is left alone for ten times as long as its call took, so that one that hangs delays
// the others for one call and a tenth of the time.
//
// Everything happens in Step(), on the caller's thread, to which the stores belong too.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "reader/database/document_store.h"
#include "reader/database/migrator.h"
#include "reader/database/projection_store.h"
#include "reader/decode/decoder.h"
#include "reader/land/expiry.h"
#include "reader/land/index_requests.h"
#include "reader/land/member.h"
#include "reader/land/member_report.h"
#include "reader/land/reader_metrics.h"
#include "reader/land/status_board.h"

namespace tidegate::reader {

class Upkeep final : public Member {
 public:
  struct Options {
    Expiry::Options expiry = {};
    // Before a database that failed is tried again, at least.
    std::chrono::milliseconds retry{30'000};
    // Between a request and its indexes. A new collection's first documents land meanwhile: a
    // server (SecantusDB) let a write that makes the collection and the making of its indexes wait
    // for each other, for minutes.
    std::chrono::milliseconds settle{3'000};
  };
  // All of them must outlive the upkeep.
  struct Parts {
    IndexRequests& requests;
    DocumentStore& store;
    // For the records of migrations.
    ProjectionStore& projections;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    ReaderMetrics& metrics;
    StatusBoard& board;
  };

  // `place` is its row on the board.
  Upkeep(Options options, Parts parts, size_t place);

  // Makes the indexes of one collection, waiting for a request at most `patience`. kInvalid: a
  // later version has migrated the database.
  Status Step(std::chrono::milliseconds patience) override;
  void Stop() override { report_.Stopped(failed_); }

 private:
  // A database that failed.
  struct Failing {
    BootTime retry_at{};
    // Its collections whose indexes are still to be made.
    std::deque<IndexRequests::Request> requests = {};
  };

  Status Migrate();
  // Makes the indexes of the collection that was requested first, if it is old enough.
  void MakeRequested();
  // Returns false if the database has failed.
  bool MakeIndexes(const Namespace& ns, const Stream& stream);
  void Postpone(const IndexRequests::Request& request);
  // Tries the databases that failed and are due: of one of them a collection.
  void TryAgain();
  // How long a database that failed after that time is left alone.
  BootTime RestAfter(BootTime took) const;
  void RemoveExpired();

  const Options options_;
  Parts parts_;
  MemberReport report_;
  LogLimit trouble_log_;
  Migrator migrator_;
  Expiry expiry_;
  bool migrated_ = false;
  BootTime next_migration_{};
  // Collections whose indexes were requested, in that order, and when they are due.
  std::deque<std::pair<BootTime, IndexRequests::Request>> requested_;
  // Collections whose indexes exist.
  std::set<Namespace> indexed_;
  std::map<std::string, Failing> failing_;
  // The collections of all databases that failed.
  size_t failed_ = 0;
};

}  // namespace tidegate::reader
