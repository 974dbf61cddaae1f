// What a server's answer to one unordered insert means for each of its documents. Private to this
// folder; pure.
#pragma once

#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// What an error code says about where the fault lies.
enum class CodeClass {
  kDuplicate,  // The key is there already.
  kDocument,   // This document is at fault: it will never be taken.
  kConflict,   // This document may pass next time.
  kServer,     // The server, its disk or our rights on it: nothing is the documents' fault.
};
// Codes that are in no list are kConflict: tried again, and given up after Options::max_retries.
CodeClass ClassifyCode(int32_t code);

// `reply` and `error` as mongoc_bulk_operation_execute left them for `count` documents sent in one
// command; `succeeded` is whether it returned a server id. kUnavailable: nothing is known about any
// of them. kRejected: the server refused the whole command for the sake of one of them.
Result<std::vector<WriteResult>> ReadBulkReply(bool succeeded, const bson_t* reply,
                                               const bson_error_t& error, size_t count);

}  // namespace tidegate::reader
