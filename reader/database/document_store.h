// Stores landed documents in MongoDB or in one SQLite file. A document whose outcome is kLanded or
// kDuplicate survives a crash of the reader, and a crash of the server as far as the server's own
// durability goes. One store belongs to one thread; several stores may share one database.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "reader/database/document.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

enum class WriteOutcome {
  kLanded,
  // A document of that `_id` is stored already. Counts as success.
  kDuplicate,
  // The landing will never accept this document.
  kRejected,
  // This document was not written, for a reason of its own (a write conflict, an unknown error).
  // Try it again; the results of the other documents hold.
  kRetry,
  // The document's database did not answer or refuses every document, so that the outcome is
  // unknown: write it again later. The results of documents in other databases hold.
  kUnavailable,
};

struct WriteResult {
  WriteOutcome outcome = WriteOutcome::kLanded;
  // Why kRejected, kRetry or kUnavailable, for people.
  std::string reason;
};

// The index on `tidegate.expires_at`, by which a database removes documents.
const Index& ExpiryIndex();

class DocumentStore {
 public:
  virtual ~DocumentStore() = default;

  // Inserts; never overwrites. Returns one result for each document, in their order, which the
  // stores guard by a CHECK. kUnavailable: the outcome of all of them is unknown; write the same
  // documents again later, which their ids make harmless. A store on several databases reports
  // kUnavailable for each document instead. Waits at most the landing's time limits (README.md).
  virtual Result<std::vector<WriteResult>> Write(std::span<const Document> documents) = 0;

  // Makes the collection and the indexes that are missing, in their order, and drops retired ones.
  // An index that exists with other keys, or that this server cannot make or drop, is logged and
  // left alone. kUnavailable: try again.
  virtual Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) = 0;

  // Removes at most `limit` documents whose `tidegate.expires_at` is past, if the database does not
  // do so by itself. Returns how many were removed. Without an index (EnsureIndexes) it reads all.
  virtual Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit);

  // Asks whether the database can be reached. Waits as long as Write.
  virtual Status Ping() = 0;
};

}  // namespace tidegate::reader
