// What a worker has to know of a database before it writes: that no later version has migrated it.
// Everything else (migrations, indexes) is made beside the landing (upkeep.h), which needs `_id`
// alone. One thread; each call waits for the database, within the database's own limits of time.
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
#include "reader/land/index_requests.h"

namespace tidegate::reader {

class Preparation {
 public:
  // All of them must outlive the preparation. Without `requests` no indexes are requested.
  struct Parts {
    DocumentStore& store;
    ProjectionStore& projections;
    const Decoder& decoder;
    const Clock& clock;
    const Log& log;
    IndexRequests* requests;
  };

  explicit Preparation(Parts parts);

  // Reads the records of the migrations, once. kUnavailable: try again. kInvalid: a later version
  // has migrated the database, and this member can never write to it.
  Status Check();
  // The error of Check() after kInvalid; no value otherwise.
  const std::optional<Error>& unfit() const { return unfit_; }

  // Requests the indexes of the documents' collections, each once.
  // REQUIRES: each document carries its stream.
  void WantIndexes(std::span<const Document> documents);

 private:
  Parts parts_;
  Migrator migrator_;
  bool checked_ = false;
  std::optional<Error> unfit_;
  // The collections that this worker has requested.
  std::set<Namespace> requested_;
};

}  // namespace tidegate::reader
