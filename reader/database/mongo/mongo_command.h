// Documents of one namespace on their way to the server in one unordered insert command. Private to
// this folder; one thread.
#pragma once

#include <span>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// What one command may hold. A bulk of ours is always one command, so that its reply cannot mix
// write errors of one command with the failure of the next.
struct CommandLimits {
  size_t documents = 1'000;                  // What every server takes.
  size_t bytes = 8 * 1024 * 1024;            // As BSON; far below the 48 MB of a message.
  size_t document_bytes = 15 * 1024 * 1024;  // A single one of that size still goes alone.
};
// As the primary's hello tells, within our own bounds.
CommandLimits LimitsOf(const bson_t& hello);

class InsertCommand {
 public:
  InsertCommand(mongoc_client_t* client, const Namespace& ns);

  // False: it is full, and the document is for the next command. A document that no server takes
  // is refused in `result` and counts as added.
  bool Add(const Document& document, const CommandLimits& limits, WriteResult& result);
  size_t sent() const { return sent_; }  // Documents that Execute sends.
  // One result for each document sent. Errors: ReadBulkReply(). REQUIRES: sent() > 0; called once.
  Result<std::vector<WriteResult>> Execute();

 private:
  CollectionHandle collection_;
  BulkHandle bulk_;
  Bson options_;
  Bson document_;  // Of the last Add: its memory serves again.
  size_t sent_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tidegate::reader
