#include "reader/database/mongo/mongo_completions.h"

#include <fmt/format.h>

#include <utility>

#include "reader/database/mongo/mongo_bson.h"
#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_reply.h"

namespace tidegate::reader {

namespace {
constexpr int64_t kMaxTimeMs = 20'000;

Error About(std::string_view operation, const Namespace& ns, const bson_error_t& error) {
  return MongoError(fmt::format("{} {}.{}", operation, ns.database, ns.collection), error);
}

std::string TextOf(const bson_iter_t& member) {
  if (BSON_ITER_HOLDS_UTF8(&member)) {
    uint32_t length = 0;
    const char* text = bson_iter_utf8(&member, &length);
    return {text, length};
  }
  if (BSON_ITER_HOLDS_INT(&member)) return fmt::format("{}", bson_iter_as_int64(&member));
  return {};
}

class MongoCompletions final : public Completions {
 public:
  explicit MongoCompletions(ClientHandle client) : client_(std::move(client)) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override;
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override;
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override;

 private:
  ClientHandle client_;
};

Status MongoCompletions::EnsureIndex(const Namespace& ns, const std::string& mark) {
  bson_error_t error{};
  if (CreateIndex(client_.get(), ns, {.name = mark, .keys = {{"tidegate." + mark, 1}}}, true,
                  &error))
    return {};
  // The index exists with other keys, or this server cannot make it: Find does without it.
  if (error.domain == MONGOC_ERROR_SERVER &&
      ClassifyCode(static_cast<int32_t>(error.code)) != CodeClass::kServer)
    return {};
  return About("create the index of marks on", ns, error);
}

Result<std::vector<PendingDocument>> MongoCompletions::Find(const PendingQuery& query) {
  const std::string path = "tidegate." + query.mark;
  // A range and not `$exists`: some servers use the sparse index only for a range of times.
  Bson filter;
  bson_t range;
  BSON_APPEND_DOCUMENT_BEGIN(filter.get(), path.c_str(), &range);
  BSON_APPEND_DATE_TIME(&range, "$gte", query.from ? query.from->time_since_epoch().count() : 0);
  bson_append_document_end(filter.get(), &range);
  Bson options;
  bson_t child;
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "sort", &child);
  BSON_APPEND_INT32(&child, path.c_str(), 1);
  bson_append_document_end(options.get(), &child);
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "projection", &child);
  BSON_APPEND_INT32(&child, path.c_str(), 1);
  BSON_APPEND_INT32(&child, query.key.c_str(), 1);
  if (query.key != "tenant_id") BSON_APPEND_INT32(&child, "tenant_id", 1);
  bson_append_document_end(options.get(), &child);
  BSON_APPEND_INT64(options.get(), "limit", static_cast<int64_t>(query.limit));
  BSON_APPEND_INT64(options.get(), "maxTimeMS", kMaxTimeMs);
  const CollectionHandle collection = CollectionOf(client_.get(), query.ns);
  const CursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
  std::vector<PendingDocument> found;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    PendingDocument pending;
    bson_iter_t member;
    bson_iter_t inner;
    if (bson_iter_init_find(&member, document, "_id")) pending.id = TextOf(member);
    if (bson_iter_init_find(&member, document, query.key.c_str())) pending.key = TextOf(member);
    if (bson_iter_init_find(&member, document, "tenant_id")) pending.tenant = TextOf(member);
    if (bson_iter_init(&member, document) &&
        bson_iter_find_descendant(&member, path.c_str(), &inner) &&
        BSON_ITER_HOLDS_DATE_TIME(&inner))
      pending.since = WallTime(std::chrono::milliseconds(bson_iter_date_time(&inner)));
    found.push_back(std::move(pending));
  }
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error))
    return About("look for documents that wait in", query.ns, error);
  return found;
}

// Adds the update {_id, has the mark, lacks `into`} -> {$unset the mark, $set `into`}. Without a
// value it only unsets the mark.
bool AddUpdate(mongoc_bulk_operation_t* bulk, const std::string& path, const std::string& into,
               const Completion& completion, bson_error_t* error) {
  Bson filter;
  Bson update;
  bson_t child;
  BSON_APPEND_UTF8(filter.get(), "_id", completion.id.c_str());
  BSON_APPEND_DOCUMENT_BEGIN(filter.get(), path.c_str(), &child);
  BSON_APPEND_BOOL(&child, "$exists", true);
  bson_append_document_end(filter.get(), &child);
  BSON_APPEND_DOCUMENT_BEGIN(update.get(), "$unset", &child);
  BSON_APPEND_UTF8(&child, path.c_str(), "");
  bson_append_document_end(update.get(), &child);
  if (completion.value) {
    BSON_APPEND_DOCUMENT_BEGIN(filter.get(), into.c_str(), &child);
    BSON_APPEND_BOOL(&child, "$exists", false);
    bson_append_document_end(filter.get(), &child);
    BSON_APPEND_DOCUMENT_BEGIN(update.get(), "$set", &child);
    const bool ok = AppendJson(&child, into, completion.value->root());
    bson_append_document_end(update.get(), &child);
    if (!ok) return false;
  }
  return mongoc_bulk_operation_update_one_with_opts(bulk, filter.get(), update.get(), nullptr,
                                                    error);
}

Result<size_t> MongoCompletions::Complete(const Namespace& ns, const std::string& mark,
                                          const std::string& into,
                                          std::span<const Completion> completions) {
  if (completions.empty()) return size_t{0};
  const std::string path = "tidegate." + mark;
  Bson options;
  BSON_APPEND_BOOL(options.get(), "ordered", false);
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection.get(), options.get()));
  bson_error_t error{};
  for (const Completion& completion : completions) {
    if (!AddUpdate(bulk.get(), path, into, completion, &error))
      return About("prepare an update of", ns, error);
  }
  bson_t reply;
  const bool succeeded = mongoc_bulk_operation_execute(bulk.get(), &reply, &error) != 0;
  bson_iter_t member;
  const int64_t changed =
      bson_iter_init_find(&member, &reply, "nModified") ? bson_iter_as_int64(&member) : 0;
  bson_destroy(&reply);
  if (!succeeded) return About("complete documents in", ns, error);
  return static_cast<size_t>(changed);
}
}  // namespace

std::unique_ptr<Completions> MakeMongoCompletions(ClientHandle client) {
  return std::make_unique<MongoCompletions>(std::move(client));
}

}  // namespace tidegate::reader
