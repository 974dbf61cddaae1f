// Brings the database to the state that a write needs: runs the migrations once, and makes the
// indexes of each collection before the first document is written to it. One thread. Each call
// waits for the database, within the database's own limits of time.
#pragma once

#include <optional>
#include <set>
#include <span>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/migrator.h"
#include "reader/database/projection_store.h"
#include "reader/decode/decoder.h"

namespace tidegate::reader {

class Preparation {
 public:
  // All of them must outlive the preparation.
  struct Parts {
    DocumentStore& store;
    ProjectionStore& projections;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
  };

  explicit Preparation(Parts parts);

  // Runs the migrations, unless they have run already. kUnavailable: try again. kInvalid: a later
  // version has migrated the database, and this member can never write to it.
  Status Migrate();
  // The error of Migrate() after kInvalid; no value otherwise.
  const std::optional<Error>& unfit() const { return unfit_; }

  // Makes the missing indexes of the documents' collections. Returns OK, perhaps without having
  // made all of them, once the clock reaches `deadline`. kUnavailable: try again.
  // REQUIRES: each document carries its stream.
  Status EnsureIndexes(std::span<const Document> documents, BootTime deadline);
  // The same for the collections that are known before any message comes.
  Status EnsureKnownIndexes(BootTime deadline);
  // The collections whose indexes are known to exist.
  const std::set<Namespace>& indexed() const { return indexed_; }

 private:
  Status EnsureIndexesOf(const Namespace& ns, const Stream& stream);
  bool IsPast(BootTime deadline) const { return parts_.clock.SinceBoot() >= deadline; }

  Parts parts_;
  Migrator migrator_;
  bool migrated_ = false;
  std::optional<Error> unfit_;
  std::set<Namespace> indexed_;
};

}  // namespace tidegate::reader
