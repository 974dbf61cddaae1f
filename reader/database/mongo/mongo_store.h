// The landing in MongoDB: unordered bulk inserts with majority write concern, one bulk a namespace
// and command. A pool is shared by all workers and tenants; each store takes one client out of it,
// for one thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/log.h"
#include "reader/database/completions.h"
#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// One thread makes the stores. It must outlive them.
class MongoPool {
 public:
  struct Options {
    // A MongoDB URI. Time limits that it does not set: connectTimeoutMS and
    // serverSelectionTimeoutMS 5 s, wtimeoutMS 30 s, waitQueueTimeoutMS 5 s; write concern
    // majority.
    std::string uri;
    std::chrono::milliseconds answer_within{30'000};  // socketTimeoutMS likewise.
  };

  // Connects to nothing yet. kInvalid: not a URI, or one that asks for w=0, which would lose
  // documents unseen. The message holds no password.
  static Result<std::unique_ptr<MongoPool>> Open(const Options& options);
  virtual ~MongoPool() = default;

  // kUnavailable: no client is free within waitQueueTimeoutMS, or the name of a mongodb+srv URI
  // does not resolve.
  virtual Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) = 0;
  virtual Result<std::unique_ptr<Completions>> NewCompletions() = 0;
  // The same, with a client of its own.
  virtual Result<std::unique_ptr<ProjectionStore>> NewProjections() = 0;
};

// The database that the URI's path names; empty if none, or if it is no URI.
std::string DatabaseOfUri(const std::string& uri);

}  // namespace tidegate::reader
