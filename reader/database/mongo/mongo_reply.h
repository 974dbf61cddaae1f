// Reads a server's reply to one unordered insert as a result for each document. Private to this
// folder; pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// The cause that an error code names.
enum class CodeClass {
  // A document with this key exists.
  kDuplicate,
  // The document: no repetition will succeed.
  kDocument,
  // Another writer: this document may succeed next time.
  kConflict,
  // The server, its disk or our rights: no document is at fault.
  kServer,
};
// Unknown codes are kConflict: the document is tried again, and becomes a dead letter after
// Options::max_retries.
CodeClass ClassifyCode(int32_t code);

// True if the server refused a whole command because of one document.
bool BlamesDocument(const bson_error_t& error);

// An element of `writeErrors`.
struct WriteError {
  int64_t index = -1;
  int32_t code = 0;
  // A duplicate, but of another unique index than `_id`'s.
  bool other_key = false;
  std::string message;
};
WriteError ReadWriteError(const bson_iter_t& element);

// `reply` and `error` are those of mongoc_bulk_operation_execute for `count` documents sent in one
// command, and `succeeded` says that it returned a server id. Returns `count` results.
// kUnavailable: the outcome of all documents is unknown. kRejected: the server refused the whole
// command because of one document.
Result<std::vector<WriteResult>> ReadBulkReply(bool succeeded, const bson_t* reply,
                                               const bson_error_t& error, size_t count);

}  // namespace tidegate::reader
