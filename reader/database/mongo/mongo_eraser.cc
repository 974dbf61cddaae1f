#include "reader/database/mongo/mongo_eraser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_clients.h"

namespace tidegate::reader {

namespace {
constexpr int32_t kAnswerWithinMs = 120'000;

struct NamesFree {
  void operator()(char** names) const { bson_strfreev(names); }
};
struct DatabaseDestroy {
  void operator()(mongoc_database_t* database) const { mongoc_database_destroy(database); }
};
struct PreferenceDestroy {
  void operator()(mongoc_read_prefs_t* preference) const { mongoc_read_prefs_destroy(preference); }
};

Error AboutErasing(std::string_view operation, const Namespace& ns, const bson_error_t& error) {
  return MongoError(fmt::format("{} {}.{}", operation, ns.database, ns.collection), error);
}

void AppendAsset(const std::string& asset, bson_t* filter) {
  bson_t in;
  bson_t values;
  BSON_APPEND_DOCUMENT_BEGIN(filter, "asset_id", &in);
  BSON_APPEND_ARRAY_BEGIN(&in, "$in", &values);
  bson_append_utf8(&values, "0", -1, asset.data(), static_cast<int>(asset.size()));
  // A producer may write an asset's name as a number.
  int64_t number = 0;
  const char* end = asset.data() + asset.size();
  const auto parsed = std::from_chars(asset.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end) BSON_APPEND_INT64(&values, "1", number);
  bson_append_array_end(&in, &values);
  bson_append_document_end(filter, &in);
}

void AppendSubject(const Subject& subject, bson_t* filter) {
  bson_append_utf8(filter, "tenant_id", -1, subject.tenant.data(),
                   static_cast<int>(subject.tenant.size()));
  if (!subject.asset.empty()) AppendAsset(subject.asset, filter);
  bson_t exists;
  BSON_APPEND_DOCUMENT_BEGIN(filter, "tidegate", &exists);
  BSON_APPEND_BOOL(&exists, "$exists", true);
  bson_append_document_end(filter, &exists);
}

class MongoEraser final : public Eraser {
 public:
  explicit MongoEraser(UriHandle uri) : clients_(std::move(uri), "tidegate-reader-erase") {}

  Status Open() {
    auto client = clients_.Take();
    if (!client.ok()) return client.error();
    client_ = std::move(client).value();
    return {};
  }
  Result<std::vector<std::string>> Collections(const std::string& database) override;
  Result<uint64_t> Count(const Namespace& ns, const Subject& subject) override;
  Result<size_t> Remove(const Namespace& ns, const Subject& subject, size_t limit) override;
  Status Finish() override { return {}; }

 private:
  // Appends the ids of at most `limit` documents to the array. Returns how many.
  Result<size_t> FindIds(const Namespace& ns, const Subject& subject, size_t limit, bson_t* ids);

  MongoClients clients_;
  ClientHandle client_;
};

Result<std::vector<std::string>> MongoEraser::Collections(const std::string& database) {
  const std::unique_ptr<mongoc_database_t, DatabaseDestroy> handle(
      mongoc_client_get_database(client_.get(), database.c_str()));
  bson_error_t error{};
  const std::unique_ptr<char*, NamesFree> names(
      mongoc_database_get_collection_names_with_opts(handle.get(), nullptr, &error));
  if (!names) return MongoError("list the collections of " + database, error);
  std::vector<std::string> collections;
  for (char** name = names.get(); *name != nullptr; ++name) {
    if (!NamesNobody(*name)) collections.emplace_back(*name);
  }
  std::ranges::sort(collections);
  return collections;
}

Result<uint64_t> MongoEraser::Count(const Namespace& ns, const Subject& subject) {
  Bson filter;
  AppendSubject(subject, filter.get());
  Bson command;
  BSON_APPEND_UTF8(command.get(), "count", ns.collection.c_str());
  BSON_APPEND_DOCUMENT(command.get(), "query", filter.get());
  bson_error_t error{};
  bson_t reply;
  const bool answered = mongoc_client_command_simple(client_.get(), ns.database.c_str(),
                                                     command.get(), nullptr, &reply, &error);
  bson_iter_t count;
  const bool counted = answered && bson_iter_init_find(&count, &reply, "n") &&
                       BSON_ITER_HOLDS_NUMBER(&count) && bson_iter_as_int64(&count) >= 0;
  const int64_t documents = counted ? bson_iter_as_int64(&count) : 0;
  bson_destroy(&reply);
  if (!answered) return AboutErasing("count in", ns, error);
  if (!counted) return Error{ErrorCode::kUnavailable, "count: the answer has no number"};
  return static_cast<uint64_t>(documents);
}

Result<size_t> MongoEraser::FindIds(const Namespace& ns, const Subject& subject, size_t limit,
                                    bson_t* ids) {
  Bson filter;
  AppendSubject(subject, filter.get());
  Bson options;
  bson_t members;
  BSON_APPEND_DOCUMENT_BEGIN(options.get(), "projection", &members);
  BSON_APPEND_INT32(&members, "_id", 1);
  bson_append_document_end(options.get(), &members);
  BSON_APPEND_INT64(options.get(), "limit", static_cast<int64_t>(limit));
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const CursorHandle cursor(
      mongoc_collection_find_with_opts(collection.get(), filter.get(), options.get(), nullptr));
  size_t found = 0;
  const bson_t* document = nullptr;
  bson_iter_t id;
  while (mongoc_cursor_next(cursor.get(), &document)) {
    if (!bson_iter_init_find(&id, document, "_id")) continue;
    bson_append_iter(ids, fmt::format_int(found).c_str(), -1, &id);
    ++found;
  }
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error)) return AboutErasing("find in", ns, error);
  return found;
}

Result<size_t> MongoEraser::Remove(const Namespace& ns, const Subject& subject, size_t limit) {
  Bson selector;
  bson_t condition;
  bson_t ids;
  BSON_APPEND_DOCUMENT_BEGIN(selector.get(), "_id", &condition);
  BSON_APPEND_ARRAY_BEGIN(&condition, "$in", &ids);
  const auto found = FindIds(ns, subject, limit, &ids);
  bson_append_array_end(&condition, &ids);
  bson_append_document_end(selector.get(), &condition);
  if (!found.ok() || *found == 0) return found;
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  bson_error_t error{};
  if (mongoc_collection_delete_many(collection.get(), selector.get(), nullptr, nullptr, &error))
    return found;
  return AboutErasing("remove from", ns, error);
}
}  // namespace

Result<std::unique_ptr<Eraser>> OpenMongoEraser(const std::string& text) {
  auto parsed = ParseMongoUri(text);
  if (!parsed.ok()) return parsed.error();
  UriHandle uri = std::move(parsed).value();
  const WriteConcernHandle concern(mongoc_write_concern_new());
  mongoc_write_concern_set_w(concern.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
  mongoc_write_concern_set_wtimeout_int64(concern.get(), kAnswerWithinMs);
  mongoc_uri_set_write_concern(uri.get(), concern.get());
  // A secondary may not have the last documents yet.
  const std::unique_ptr<mongoc_read_prefs_t, PreferenceDestroy> primary(
      mongoc_read_prefs_new(MONGOC_READ_PRIMARY));
  mongoc_uri_set_read_prefs_t(uri.get(), primary.get());
  SetUriDefault(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, kAnswerWithinMs);
  SetUriDefault(uri.get(), MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5'000);
  SetUriDefault(uri.get(), MONGOC_URI_CONNECTTIMEOUTMS, 5'000);
  auto eraser = std::make_unique<MongoEraser>(std::move(uri));
  if (Status status = eraser->Open(); !status.ok()) return status.error();
  return std::unique_ptr<Eraser>(std::move(eraser));
}

}  // namespace tidegate::reader
