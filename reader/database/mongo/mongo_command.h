// One unordered insert command with documents of one namespace. Private to this folder; one thread.
#pragma once

#include <span>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// The most that one command holds. A bulk operation of libmongoc is always one command here, so
// that its reply cannot mix the write errors of one command with the failure of the next.
struct CommandLimits {
  // Every server accepts that many.
  size_t documents = 1'000;
  // The documents' BSON; far below the 48 MB of a message.
  size_t bytes = 8 * 1024 * 1024;
  // The BSON of one document, which is sent alone if it exceeds `bytes`.
  size_t document_bytes = 15 * 1024 * 1024;
};
// Returns the limits in the primary's hello reply, within our own.
CommandLimits LimitsOf(const bson_t& hello);

class InsertCommand {
 public:
  InsertCommand(mongoc_client_t* client, const Namespace& ns);

  // False: the command is full, and the document belongs to the next one. A document that no server
  // accepts is rejected in `result` and counts as added. The first document is always added.
  bool Add(const Document& document, const CommandLimits& limits, WriteResult& result);
  // The number of documents that Execute sends.
  size_t sent() const { return sent_; }
  // Returns one result for each document sent. Errors are those of ReadBulkReply().
  // REQUIRES: sent() > 0. Called once.
  Result<std::vector<WriteResult>> Execute();

 private:
  CollectionHandle collection_;
  BulkHandle bulk_;
  Bson options_;
  Bson document_;  // The last document added; kept to reuse its memory.
  size_t sent_ = 0;
  size_t bytes_ = 0;
};

}  // namespace tidegate::reader
