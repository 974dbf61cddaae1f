#include "reader/query/mongo_query_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "reader/query/bson_json.h"
#include "reader/query/mongo_query_handle.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// The year 1: what comes before it some drivers and servers cannot read.
constexpr int64_t kEarliest = -62'135'596'800'000;

Error Unavailable(std::string_view operation, const bson_error_t& error) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {} (domain {}, code {})", operation,
                                               error.message, error.domain, error.code)};
}

int64_t Milliseconds(WallTime time) {
  return time.time_since_epoch().count();
}

void AppendCondition(const Condition& condition, bson_t* filter) {
  bson_t in;
  bson_t values;
  BSON_APPEND_DOCUMENT_BEGIN(filter, condition.member.c_str(), &in);
  BSON_APPEND_ARRAY_BEGIN(&in, "$in", &values);
  for (size_t i = 0; i < condition.any_of.size(); ++i) {
    const std::string key = std::to_string(i);
    if (const auto* text = std::get_if<std::string>(&condition.any_of[i])) {
      bson_append_utf8(&values, key.c_str(), -1, text->data(), static_cast<int>(text->size()));
    } else {
      BSON_APPEND_BOOL(&values, key.c_str(), std::get<bool>(condition.any_of[i]));
    }
  }
  bson_append_array_end(&in, &values);
  bson_append_document_end(filter, &in);
}

// Comparing with a date and with text finds only dates and text.
void AppendTimes(const Query& query, bson_t* filter) {
  bson_t range;
  BSON_APPEND_DOCUMENT_BEGIN(filter, query.time_member.c_str(), &range);
  BSON_APPEND_DATE_TIME(&range, "$gte", query.from ? Milliseconds(*query.from) : kEarliest);
  if (query.to) BSON_APPEND_DATE_TIME(&range, "$lt", Milliseconds(*query.to));
  if (query.after) BSON_APPEND_DATE_TIME(&range, "$lte", Milliseconds(query.after->time));
  bson_append_document_end(filter, &range);
  bson_t ids;
  BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &ids);
  BSON_APPEND_UTF8(&ids, "$gte", "");
  bson_append_document_end(filter, &ids);
}

// Earlier, or of the same time with a smaller id.
void AppendAfter(const Query& query, bson_t* filter) {
  bson_t either;
  bson_t branch;
  bson_t compare;
  BSON_APPEND_ARRAY_BEGIN(filter, "$or", &either);
  BSON_APPEND_DOCUMENT_BEGIN(&either, "0", &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&branch, query.time_member.c_str(), &compare);
  BSON_APPEND_DATE_TIME(&compare, "$lt", Milliseconds(query.after->time));
  bson_append_document_end(&branch, &compare);
  bson_append_document_end(&either, &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&either, "1", &branch);
  BSON_APPEND_DOCUMENT_BEGIN(&branch, "_id", &compare);
  bson_append_utf8(&compare, "$lt", -1, query.after->id.data(),
                   static_cast<int>(query.after->id.size()));
  bson_append_document_end(&branch, &compare);
  bson_append_document_end(&either, &branch);
  bson_append_array_end(filter, &either);
}

void AppendFilter(const Query& query, bson_t* filter) {
  for (const Condition& condition : query.where) AppendCondition(condition, filter);
  AppendTimes(query, filter);
  if (query.after) AppendAfter(query, filter);
}

class MongoQueryStore final : public QueryStore {
 public:
  explicit MongoQueryStore(QueryClientHandle client) : client_(std::move(client)) {}

  Result<Page> Find(const Query& query, const PageLimit& limit, milliseconds within) override;
  Result<uint64_t> Count(const Query& query, uint64_t most, milliseconds within) override;
  Status Ping(milliseconds within) override;

 private:
  QueryCollectionHandle Collection(const Namespace& ns) {
    return QueryCollectionHandle(
        mongoc_client_get_collection(client_.get(), ns.database.c_str(), ns.collection.c_str()));
  }

  QueryClientHandle client_;
};

std::optional<Place> PlaceOf(const bson_t* document, const Query& query) {
  bson_iter_t id;
  bson_iter_t time;
  if (!bson_iter_init_find(&id, document, "_id") || !BSON_ITER_HOLDS_UTF8(&id)) return std::nullopt;
  if (!bson_iter_init_find(&time, document, query.time_member.c_str()) ||
      !BSON_ITER_HOLDS_DATE_TIME(&time)) {
    return std::nullopt;
  }
  uint32_t size = 0;
  const char* text = bson_iter_utf8(&id, &size);
  return Place{WallTime(milliseconds(bson_iter_date_time(&time))), std::string(text, size)};
}

Result<Page> MongoQueryStore::Find(const Query& query, const PageLimit& limit,
                                   milliseconds within) {
  QueryBson filter;
  AppendFilter(query, filter.get());
  QueryBson options;
  bson_t sort;
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "sort", &sort);
  BSON_APPEND_INT32(&sort, query.time_member.c_str(), -1);
  BSON_APPEND_INT32(&sort, "_id", -1);
  bson_append_document_end(options.get(), &sort);
  BSON_APPEND_INT64(options.get(), "limit", static_cast<int64_t>(limit.documents) + 1);
  BSON_APPEND_INT64(options.get(), "maxTimeMS", std::max<int64_t>(within.count(), 1));
  const QueryCollectionHandle collection = Collection(query.ns);
  const QueryCursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
  Page page;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    auto place = PlaceOf(document, query);
    if (place && !page.Add({*std::move(place), BsonToJson(document)}, limit)) return page;
  }
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error)) return Unavailable("query", error);
  return page;
}

Result<uint64_t> MongoQueryStore::Count(const Query& query, uint64_t most, milliseconds within) {
  QueryBson filter;
  AppendFilter(query, filter.get());
  QueryBson command;
  BSON_APPEND_UTF8(command.get(), "count", query.ns.collection.c_str());
  BSON_APPEND_DOCUMENT(command.get(), "query", filter.get());
  BSON_APPEND_INT64(command.get(), "limit", static_cast<int64_t>(most));
  BSON_APPEND_INT64(command.get(), "maxTimeMS", std::max<int64_t>(within.count(), 1));
  bson_error_t error{};
  bson_t reply;
  const bool answered = mongoc_client_read_command_with_opts(
      client_.get(), query.ns.database.c_str(), command.get(), nullptr, nullptr, &reply, &error);
  bson_iter_t count;
  const bool counted = answered && bson_iter_init_find(&count, &reply, "n") &&
                       BSON_ITER_HOLDS_NUMBER(&count) && bson_iter_as_int64(&count) >= 0;
  const int64_t documents = counted ? bson_iter_as_int64(&count) : 0;
  bson_destroy(&reply);
  if (!answered) return Unavailable("count", error);
  if (!counted) return Error{ErrorCode::kUnavailable, "count: the answer has no number"};
  return static_cast<uint64_t>(documents);
}

Status MongoQueryStore::Ping(milliseconds within) {
  QueryBson command;
  BSON_APPEND_INT32(command.get(), "ping", 1);
  BSON_APPEND_INT64(command.get(), "maxTimeMS", std::max<int64_t>(within.count(), 1));
  bson_error_t error{};
  if (mongoc_client_command_simple(client_.get(), "admin", command.get(), nullptr, nullptr, &error))
    return {};
  return Unavailable("ping the database", error);
}

class MongoQueries final : public Queries {
 public:
  explicit MongoQueries(QueryUriHandle uri) : uri_(std::move(uri)) {}

  Result<std::unique_ptr<QueryStore>> NewStore() override {
    if (Status status = Connect(); !status.ok()) return status.error();
    QueryClientHandle client(mongoc_client_pool_pop(pool_.get()), QueryClientReturner{pool_.get()});
    if (!client) return Error{ErrorCode::kUnavailable, "take a client from the pool: none is free"};
    return std::unique_ptr<QueryStore>(std::make_unique<MongoQueryStore>(std::move(client)));
  }

 private:
  // Asks the name service if the URI is mongodb+srv.
  Status Connect() {
    if (pool_) return {};
    bson_error_t error{};
    pool_.reset(mongoc_client_pool_new_with_error(uri_.get(), &error));
    if (!pool_) return Unavailable("make the pool of MongoDB clients", error);
    mongoc_client_pool_set_error_api(pool_.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(pool_.get(), "tidegate-reader-api");
    return {};
  }

  QueryUriHandle uri_;
  QueryPoolHandle pool_;
};

void SetDefault(mongoc_uri_t* uri, const char* option, int32_t value) {
  if (!mongoc_uri_has_option(uri, option)) mongoc_uri_set_option_as_int32(uri, option, value);
}
}  // namespace

Result<std::unique_ptr<Queries>> OpenMongoQueries(const std::string& text) {
  mongoc_init();  // Only the first call in a process does something; the landing cleans up.
  bson_error_t error{};
  // libmongoc's message may quote the URI, and with it the password.
  QueryUriHandle uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) return Error{ErrorCode::kInvalid, "not a MongoDB connection string"};
  SetDefault(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, 15'000);
  SetDefault(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2'000);
  SetDefault(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, 2'000);
  SetDefault(uri.get(), MONGOC_URI_WAITQUEUETIMEOUTMS, 2'000);
  return std::unique_ptr<Queries>(std::make_unique<MongoQueries>(std::move(uri)));
}

}  // namespace tidegate::reader
