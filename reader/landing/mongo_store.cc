#include "reader/landing/mongo_store.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "reader/landing/mongo_command.h"
#include "reader/landing/mongo_completions.h"
#include "reader/landing/mongo_projections.h"
#include "reader/landing/mongo_reply.h"
#include "reader/landing/mongoc_handle.h"

namespace tidegate::reader {

namespace {
constexpr uint32_t kUnauthorized = 13;

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
  Result<CommandLimits> Limits();
  // Writes as many of the documents at `positions` as one command holds, and puts their results in
  // the same places. How many that were.
  Result<size_t> WriteCommand(const CommandLimits& limits, const Namespace& ns,
                              std::span<const Document> documents,
                              std::span<const size_t> positions, std::vector<WriteResult>& results);
  Status WriteInHalves(const CommandLimits& limits, const Namespace& ns,
                       std::span<const Document> documents, std::span<const size_t> positions,
                       std::vector<WriteResult>& results, const Error& error);
  Status EnsureIndex(const Namespace& ns, const Index& index);

  ClientHandle client_;
  const Log& log_;
};

Result<CommandLimits> MongoStore::Limits() {
  bson_error_t error{};
  const ServerDescriptionHandle server(
      mongoc_client_select_server(client_.get(), true, nullptr, &error));
  if (!server) return Unavailable("find a server to write to", error);
  return LimitsOf(*mongoc_server_description_hello_response(server.get()));
}

Result<std::vector<WriteResult>> MongoStore::Write(std::span<const Document> documents) {
  const Result<CommandLimits> limits = Limits();
  if (!limits.ok()) return limits.error();
  std::vector<WriteResult> results(documents.size());
  for (const auto& [ns, positions] : GroupByNamespace(documents)) {
    for (std::span<const size_t> rest = positions; !rest.empty();) {
      const Result<size_t> settled = WriteCommand(*limits, ns, documents, rest, results);
      if (!settled.ok()) return settled.error();
      rest = rest.subspan(*settled);
    }
  }
  return results;
}

Result<size_t> MongoStore::WriteCommand(const CommandLimits& limits, const Namespace& ns,
                                        std::span<const Document> documents,
                                        std::span<const size_t> positions,
                                        std::vector<WriteResult>& results) {
  InsertCommand command(client_.get(), ns);
  std::vector<size_t> sent;
  size_t taken = 0;
  for (size_t position : positions) {
    const size_t before = command.sent();
    if (!command.Add(documents[position], limits, results[position])) break;
    if (command.sent() > before) sent.push_back(position);
    ++taken;
  }
  if (sent.empty()) return taken;
  const Result<std::vector<WriteResult>> outcome = command.Execute();
  if (outcome.ok()) {
    for (size_t i = 0; i < sent.size(); ++i) results[sent[i]] = (*outcome)[i];
    return taken;
  }
  if (outcome.error().code != ErrorCode::kRejected) return outcome.error();
  if (Status status = WriteInHalves(limits, ns, documents, sent, results, outcome.error());
      !status.ok())
    return status.error();
  return taken;
}

// One document's fault took the whole command down: the others go without it.
Status MongoStore::WriteInHalves(const CommandLimits& limits, const Namespace& ns,
                                 std::span<const Document> documents,
                                 std::span<const size_t> positions,
                                 std::vector<WriteResult>& results, const Error& error) {
  if (positions.size() == 1) {
    results[positions.front()] = {Outcome::kRejected, error.message};
    return {};
  }
  const size_t half = positions.size() / 2;
  for (std::span<const size_t> part : {positions.first(half), positions.subspan(half)}) {
    const Result<size_t> settled = WriteCommand(limits, ns, documents, part, results);
    if (!settled.ok()) return settled.error();
  }
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
  if (index.expires) BSON_APPEND_INT32(&item, "expireAfterSeconds", 0);
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
    auto client = TakeClient();
    if (!client.ok()) return client.error();
    return std::unique_ptr<DocumentStore>(
        std::make_unique<MongoStore>(std::move(client).value(), log));
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    auto client = TakeClient();
    if (!client.ok()) return client.error();
    return MakeMongoProjections(std::move(client).value());
  }

  Result<std::unique_ptr<Completions>> NewCompletions() override {
    auto client = TakeClient();
    if (!client.ok()) return client.error();
    return MakeMongoCompletions(std::move(client).value());
  }

 private:
  Result<ClientHandle> TakeClient() {
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

// A URI's write concern is made when it is parsed: setting the options later would change nothing.
void SetDefaultConcern(mongoc_uri_t* uri) {
  const WriteConcernHandle concern(mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)));
  if (mongoc_write_concern_get_w(concern.get()) == MONGOC_WRITE_CONCERN_W_DEFAULT)
    mongoc_write_concern_set_w(concern.get(), MONGOC_WRITE_CONCERN_W_MAJORITY);
  if (mongoc_write_concern_get_wtimeout_int64(concern.get()) <= 0)
    mongoc_write_concern_set_wtimeout_int64(concern.get(), 30'000);
  mongoc_uri_set_write_concern(uri, concern.get());
}

void SetDefaults(mongoc_uri_t* uri) {
  SetDefaultConcern(uri);
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
