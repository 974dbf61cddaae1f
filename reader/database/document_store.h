// Where records end up: MongoDB, or one SQLite file. The promise that everything above rests on: a
// document whose outcome is kLanded or kDuplicate survives a crash of the reader and, as far as its
// own durability goes, of the server. One store belongs to one thread; several stores may share one
// database.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "reader/database/document.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

enum class Outcome {
  kLanded,
  kDuplicate,  // A document of that `_id` is there already: as good as landed.
  kRejected,   // The landing will never take this one.
  kRetry,  // Not taken this time for a reason of its own (a write conflict, an unknown error); the
           // others are settled.
};

struct WriteResult {
  Outcome outcome = Outcome::kLanded;
  std::string reason;  // Of kRejected and kRetry, for people.
};

// Of the member `tidegate.expires_at`.
const Index& ExpiryIndex();

class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  // Inserts; never overwrites. One result a document, in their order. kUnavailable: the outcome of
  // all of them is unknown; write the same documents again later, which their ids make harmless.
  // Waits at most the landing's time limits (README.md).
  virtual Result<std::vector<WriteResult>> Write(std::span<const Document> documents) = 0;

  // Makes the collection and the indexes that are missing, in their order, and drops those that are
  // retired. An index that exists otherwise, or that this server cannot make or drop, is logged and
  // left alone. kUnavailable: try again.
  virtual Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) = 0;

  // Removes documents whose `tidegate.expires_at` is past, `limit` at most, where the database does
  // not do it by itself. How many went. REQUIRES: EnsureIndexes of that namespace.
  virtual Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit);

  // Whether writes have a chance now. Waits like Write.
  virtual Status Ping() = 0;
};

}  // namespace tidegate::reader
