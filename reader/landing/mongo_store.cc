#include "reader/landing/mongo_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "reader/landing/mongo_bson.h"
#include "reader/landing/mongo_completions.h"
#include "reader/landing/mongo_reply.h"
#include "reader/landing/mongoc_handle.h"

namespace tidegate::reader {

namespace {
constexpr uint32_t kUnauthorized = 13;
constexpr size_t kDefaultWriteBatch = 1'000;  // What every server takes.
constexpr size_t kMaxWriteBatch = 10'000;     // One command stays far below the 48 MB of a message.

// libmongoc wants one init before anything else and one cleanup after everything else in a process.
void UseLibrary() {
  struct Library {
    Library() {
      mongoc_init();
      mongoc_log_set_handler(
          nullptr,
          nullptr);  // Every call reports its error; the log would repeat them, URIs included.
    }
    ~Library() { mongoc_cleanup(); }
  };
  static const Library library;
}

void SetDefault(mongoc_uri_t* uri, const char* option, int32_t value) {
  if (!mongoc_uri_has_option(uri, option)) mongoc_uri_set_option_as_int32(uri, option, value);
}

// The order of a batch is kept within each namespace.
std::map<Namespace, std::vector<size_t>> GroupByNamespace(std::span<const Document> documents) {
  std::map<Namespace, std::vector<size_t>> groups;
  for (size_t i = 0; i < documents.size(); ++i) groups[documents[i].ns].push_back(i);
  return groups;
}

Error Unavailable(std::string_view operation, const bson_error_t& error) {
  return {ErrorCode::kUnavailable, fmt::format("{}: {} (domain {}, code {})", operation,
                                               error.message, error.domain, error.code)};
}

class MongoStore final : public DocumentStore {
 public:
  MongoStore(ClientHandle client, const Log& log) : client_(std::move(client)), log_(log) {}

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override;
  Status Ping() override;

 private:
  // How many documents the primary takes in one command.
  Result<size_t> WriteBatch();
  // Writes the documents at `positions`, in one command, and puts their results in the same places.
  Status WriteCommand(const Namespace& ns, std::span<const Document> documents,
                      std::span<const size_t> positions, std::vector<WriteResult>& results);
  Status EnsureIndex(const Namespace& ns, const Index& index);

  ClientHandle client_;
  const Log& log_;
};

Result<size_t> MongoStore::WriteBatch() {
  bson_error_t error{};
  const ServerDescriptionHandle server(
      mongoc_client_select_server(client_.get(), true, nullptr, &error));
  if (!server) return Unavailable("find a server to write to", error);
  bson_iter_t member;
  if (bson_iter_init_find(&member, mongoc_server_description_hello_response(server.get()),
                          "maxWriteBatchSize") &&
      BSON_ITER_HOLDS_NUMBER(&member) && bson_iter_as_int64(&member) > 0) {
    return std::min(kMaxWriteBatch, static_cast<size_t>(bson_iter_as_int64(&member)));
  }
  return kDefaultWriteBatch;
}

Result<std::vector<WriteResult>> MongoStore::Write(std::span<const Document> documents) {
  const Result<size_t> limit = WriteBatch();
  if (!limit.ok()) return limit.error();
  std::vector<WriteResult> results(documents.size());
  for (const auto& [ns, positions] : GroupByNamespace(documents)) {
    // A bulk of ours is one command, so that its reply cannot mix write errors of one command with
    // the failure of the next.
    for (size_t first = 0; first < positions.size(); first += *limit) {
      const size_t count = std::min(*limit, positions.size() - first);
      Status status =
          WriteCommand(ns, documents, std::span(positions).subspan(first, count), results);
      if (!status.ok()) return status.error();
    }
  }
  return results;
}

Status MongoStore::WriteCommand(const Namespace& ns, std::span<const Document> documents,
                                std::span<const size_t> positions,
                                std::vector<WriteResult>& results) {
  const CollectionHandle collection(
      mongoc_client_get_collection(client_.get(), ns.database.c_str(), ns.collection.c_str()));
  Bson bulk_options;
  BSON_APPEND_BOOL(bulk_options.get(), "ordered", false);
  const BulkHandle bulk(
      mongoc_collection_create_bulk_operation_with_opts(collection.get(), bulk_options.get()));
  Bson insert_options;  // The text is checked UTF-8 and the size is checked here; checking again
                        // halves the throughput.
  BSON_APPEND_BOOL(insert_options.get(), "validate", false);
  bson_error_t error{};
  std::vector<size_t> sent;
  sent.reserve(positions.size());
  for (size_t position : positions) {
    Bson bson;
    if (Status status = AppendDocument(documents[position], bson.get()); !status.ok()) {
      results[position] = {Outcome::kRejected, status.error().message};
    } else if (!mongoc_bulk_operation_insert_with_opts(bulk.get(), bson.get(), insert_options.get(),
                                                       &error)) {
      results[position] = {Outcome::kRejected,
                           fmt::format("libmongoc refuses it: {}", error.message)};
    } else {
      sent.push_back(position);
    }
  }
  if (sent.empty()) return {};
  bson_t reply;
  const bool succeeded = mongoc_bulk_operation_execute(bulk.get(), &reply, &error) != 0;
  const auto outcome = ReadBulkReply(succeeded, &reply, error, sent.size());
  bson_destroy(&reply);
  if (!outcome.ok()) return outcome.error();
  for (size_t i = 0; i < sent.size(); ++i) results[sent[i]] = (*outcome)[i];
  return {};
}

Status MongoStore::EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) {
  for (const Index& index : indexes) {
    if (Status status = EnsureIndex(ns, index); !status.ok()) return status;
  }
  return {};
}

// The command and not libmongoc's function for it, which differs between 1.23, 1.24 and 2.0; one
// index a command, because some servers take no more.
Status MongoStore::EnsureIndex(const Namespace& ns, const Index& index) {
  Bson command;
  BSON_APPEND_UTF8(command.get(), "createIndexes", ns.collection.c_str());
  bson_t list;
  bson_t item;
  bson_t key;
  BSON_APPEND_ARRAY_BEGIN(command.get(), "indexes", &list);
  BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &item);
  BSON_APPEND_DOCUMENT_BEGIN(&item, "key", &key);
  for (const auto& [member, direction] : index.keys)
    BSON_APPEND_INT32(&key, member.c_str(), direction);
  bson_append_document_end(&item, &key);
  BSON_APPEND_UTF8(&item, "name", index.name.c_str());
  bson_append_document_end(&list, &item);
  bson_append_array_end(command.get(), &list);

  bson_error_t error{};
  if (mongoc_client_command_simple(client_.get(), ns.database.c_str(), command.get(), nullptr,
                                   nullptr, &error))
    return {};
  // There already but otherwise (85, 86), no such index on this server (238), no right to make one
  // (13): documents can land without.
  const bool tolerated = error.domain == MONGOC_ERROR_SERVER &&
                         (error.code == kUnauthorized ||
                          ClassifyCode(static_cast<int32_t>(error.code)) != CodeClass::kServer);
  if (!tolerated) {
    return Unavailable(
        fmt::format("create index {} on {}.{}", index.name, ns.database, ns.collection), error);
  }
  log_.Warning("create index {} on {}.{}: {} (code {}); queries by it may be slow", index.name,
               ns.database, ns.collection, error.message, error.code);
  return {};
}

Status MongoStore::Ping() {
  Bson command;
  BSON_APPEND_INT32(command.get(), "ping", 1);
  bson_error_t error{};
  if (mongoc_client_command_simple(client_.get(), "admin", command.get(), nullptr, nullptr, &error))
    return {};
  return Unavailable("ping the database", error);
}

class LibmongocPool final : public MongoPool {
 public:
  explicit LibmongocPool(UriHandle uri) : uri_(std::move(uri)) {}

  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    Result<ClientHandle> client = NewClient();
    if (!client.ok()) return client.error();
    return std::unique_ptr<DocumentStore>(
        std::make_unique<MongoStore>(std::move(client).value(), log));
  }

  Result<std::unique_ptr<Completions>> NewCompletions() override {
    Result<ClientHandle> client = NewClient();
    if (!client.ok()) return client.error();
    return MakeMongoCompletions(std::move(client).value());
  }

 private:
  Result<ClientHandle> NewClient() {
    if (Status status = Connect(); !status.ok()) return status.error();
    ClientHandle client(mongoc_client_pool_pop(pool_.get()), ClientReturner{pool_.get()});
    if (!client) return Error{ErrorCode::kUnavailable, "take a client from the pool: none is free"};
    return client;
  }

  // Asks the name service if the URI is mongodb+srv.
  Status Connect() {
    if (pool_) return {};
    bson_error_t error{};
    pool_.reset(mongoc_client_pool_new_with_error(uri_.get(), &error));
    if (!pool_) return Unavailable("make the pool of MongoDB clients", error);
    mongoc_client_pool_set_error_api(pool_.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_set_appname(pool_.get(), "tidegate-reader");
    return {};
  }

  UriHandle uri_;
  PoolHandle pool_;
};

void SetDefaults(mongoc_uri_t* uri) {
  if (!mongoc_uri_has_option(uri, MONGOC_URI_W))
    mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_W, "majority");
  SetDefault(uri, MONGOC_URI_WTIMEOUTMS, 30'000);
  SetDefault(uri, MONGOC_URI_SOCKETTIMEOUTMS, 30'000);
  SetDefault(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5'000);
  SetDefault(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5'000);
  SetDefault(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, 5'000);
}
}  // namespace

Result<std::unique_ptr<MongoPool>> MongoPool::Open(const Options& options) {
  UseLibrary();
  bson_error_t error{};
  // libmongoc's message may quote the URI, and with it the password.
  UriHandle uri(mongoc_uri_new_with_error(options.uri.c_str(), &error));
  if (!uri) return Error{ErrorCode::kInvalid, "not a MongoDB connection string"};
  if (!mongoc_write_concern_is_acknowledged(mongoc_uri_get_write_concern(uri.get()))) {
    return Error{
        ErrorCode::kInvalid,
        "w=0 loses documents unseen and is refused: leave w out, or name a number or majority"};
  }
  SetDefaults(uri.get());
  return std::unique_ptr<MongoPool>(std::make_unique<LibmongocPool>(std::move(uri)));
}

std::string DatabaseOfUri(const std::string& text) {
  UseLibrary();
  const UriHandle uri(mongoc_uri_new(text.c_str()));
  const char* database = uri ? mongoc_uri_get_database(uri.get()) : nullptr;
  return database ? database : "";
}

}  // namespace tidegate::reader
