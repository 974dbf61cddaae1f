#include "reader/database/mongo/mongo_query_store.h"

#include <algorithm>
#include <utility>

#include "reader/database/mongo/bson_json.h"
#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_clients.h"
#include "reader/database/mongo/mongo_filter.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

class MongoQueryStore final : public QueryStore {
 public:
  explicit MongoQueryStore(ClientHandle client) : client_(std::move(client)) {}

  Result<Page> Find(const Query& query, const PageLimit& limit, milliseconds within) override;
  Result<uint64_t> Count(const Query& query, uint64_t most, milliseconds within) override;
  Status Ping(milliseconds within) override;

 private:
  ClientHandle client_;
};

// MaxTimeMSExpired: the server is there, and ended a query that took too long.
constexpr uint32_t kTimeExpired = 50;

Error QueryError(std::string_view operation, const bson_error_t& error) {
  Error about = MongoError(operation, error);
  if (error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_QUERY)
    about.code = error.code == kTimeExpired ? ErrorCode::kFull : ErrorCode::kCorrupt;
  return about;
}

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
  Bson filter;
  AppendFilter(query, filter.get());
  Bson options;
  AppendSort(query, options.get());
  BSON_APPEND_INT64(options.get(), "limit", static_cast<int64_t>(limit.documents) + 1);
  BSON_APPEND_INT64(options.get(), "maxTimeMS", std::max<int64_t>(within.count(), 1));
  const CollectionHandle collection = CollectionOf(client_.get(), query.ns);
  const CursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
  Page page;
  const bson_t* document = nullptr;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    auto place = PlaceOf(document, query);
    if (place && !page.Add({*std::move(place), BsonToJson(document)}, limit)) return page;
  }
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error)) return QueryError("query", error);
  return page;
}

Result<uint64_t> MongoQueryStore::Count(const Query& query, uint64_t most, milliseconds within) {
  Bson filter;
  AppendFilter(query, filter.get());
  Bson command;
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
  if (!answered) return QueryError("count", error);
  if (!counted) return Error{ErrorCode::kUnavailable, "count: the answer has no number"};
  return static_cast<uint64_t>(documents);
}

Status MongoQueryStore::Ping(milliseconds within) {
  Bson command;
  BSON_APPEND_INT32(command.get(), "ping", 1);
  BSON_APPEND_INT64(command.get(), "maxTimeMS", std::max<int64_t>(within.count(), 1));
  return PingDatabase(client_.get(), command.get());
}

class MongoQueries final : public Queries {
 public:
  explicit MongoQueries(UriHandle uri) : clients_(std::move(uri), "tidegate-reader-api") {}

  Result<std::unique_ptr<QueryStore>> NewStore() override {
    auto client = clients_.Take();
    if (!client.ok()) return client.error();
    return std::unique_ptr<QueryStore>(std::make_unique<MongoQueryStore>(std::move(*client)));
  }

 private:
  MongoClients clients_;
};
}  // namespace

Result<std::unique_ptr<Queries>> OpenMongoQueries(const std::string& text,
                                                  milliseconds answer_within) {
  // The server ends a query in time by itself, if it can.
  constexpr milliseconds kGrace{1'000};

  auto parsed = ParseMongoUri(text);
  if (!parsed.ok()) return parsed.error();
  UriHandle uri = std::move(parsed).value();
  SetUriDefault(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS,
                static_cast<int32_t>((answer_within + kGrace).count()));
  SetUriDefault(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 2'000);
  SetUriDefault(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, 2'000);
  SetUriDefault(uri.get(), MONGOC_URI_WAITQUEUETIMEOUTMS, 2'000);
  return std::unique_ptr<Queries>(std::make_unique<MongoQueries>(std::move(uri)));
}

}  // namespace tidegate::reader
