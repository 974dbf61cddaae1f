#include "reader/database/mongo/mongo_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reader/database/mongo/mongo_bson.h"
#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_reply.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxDocuments = 10'000;

// Returns the positive number of that name, or the fallback.
size_t LimitOf(const bson_t& document, const char* name, size_t fallback) {
  bson_iter_t member;
  if (!bson_iter_init_find(&member, &document, name) || !BSON_ITER_HOLDS_NUMBER(&member))
    return fallback;
  const int64_t number = bson_iter_as_int64(&member);
  return number > 0 ? static_cast<size_t>(number) : fallback;
}
}  // namespace

CommandLimits LimitsOf(const bson_t& hello) {
  CommandLimits limits;
  limits.documents = std::min(kMaxDocuments, LimitOf(hello, "maxWriteBatchSize", limits.documents));
  limits.document_bytes =
      std::min(limits.document_bytes, LimitOf(hello, "maxBsonObjectSize", limits.document_bytes));
  return limits;
}

InsertCommand::InsertCommand(mongoc_client_t* client, const Namespace& ns)
    : collection_(CollectionOf(client, ns)) {
  Bson options;
  BSON_APPEND_BOOL(options.get(), "ordered", false);
  bulk_.reset(mongoc_collection_create_bulk_operation_with_opts(collection_.get(), options.get()));
  // AppendDocument checks the document. libmongoc's own check halves the throughput.
  BSON_APPEND_BOOL(options_.get(), "validate", false);
}

bool InsertCommand::Add(const Document& document, const CommandLimits& limits,
                        WriteResult& result) {
  if (sent_ >= limits.documents) return false;
  bson_t* bson = document_.get();
  bson_reinit(bson);
  if (Status status = AppendDocument(document, bson); !status.ok()) {
    result = {WriteOutcome::kRejected, status.error().message};
    return true;
  }
  const size_t bytes = bson->len;
  if (bytes > limits.document_bytes) {
    result = {WriteOutcome::kRejected,
              fmt::format("{} bytes as BSON, the server takes {}", bytes, limits.document_bytes)};
    return true;
  }
  if (sent_ > 0 && bytes_ + bytes > limits.bytes) return false;
  bson_error_t error{};
  if (!mongoc_bulk_operation_insert_with_opts(bulk_.get(), bson, options_.get(), &error)) {
    result = {WriteOutcome::kRejected, fmt::format("libmongoc refuses it: {}", error.message)};
    return true;
  }
  ++sent_;
  bytes_ += bytes;
  return true;
}

Result<std::vector<WriteResult>> InsertCommand::Execute() {
  CHECK(sent_ > 0, "an insert command has a document");
  bson_error_t error{};
  bson_t reply;
  const bool succeeded = mongoc_bulk_operation_execute(bulk_.get(), &reply, &error) != 0;
  auto results = ReadBulkReply(succeeded, &reply, error, sent_);
  bson_destroy(&reply);
  return results;
}

}  // namespace tidegate::reader
