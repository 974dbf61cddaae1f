#include "reader/database/mongo/mongo_store.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_command.h"
#include "reader/database/mongo/mongo_completions.h"
#include "reader/database/mongo/mongo_projections.h"
#include "reader/database/mongo/mongo_reply.h"

namespace tidegate::reader {

namespace {
constexpr uint32_t kUnauthorized = 13;

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
  // None if the server does not tell: what comes next will say why.
  std::set<std::string> IndexNames(const Namespace& ns);
  Status Ensure(const Namespace& ns, const Index& index);

  ClientHandle client_;
  const Log& log_;
};

Result<CommandLimits> MongoStore::Limits() {
  bson_error_t error{};
  const ServerDescriptionHandle server(
      mongoc_client_select_server(client_.get(), true, nullptr, &error));
  if (!server) return MongoError("find a server to write to", error);
  return LimitsOf(*mongoc_server_description_hello_response(server.get()));
}

Result<std::vector<WriteResult>> MongoStore::Write(std::span<const Document> documents) {
  const Result<CommandLimits> limits = Limits();
  if (!limits.ok()) return limits.error();
  std::vector<WriteResult> results(documents.size());
  for (const auto& [ns, positions] : ByNamespace(documents, &Document::ns)) {
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
  const std::set<std::string> there = IndexNames(ns);
  for (const Index& index : indexes) {
    // One that documents are to expire by is asked for in any case: the server then tells if it is
    // another one of that name.
    if (there.contains(index.name) != index.retired && !index.expires) continue;
    if (Status status = Ensure(ns, index); !status.ok()) return status;
  }
  return {};
}

std::set<std::string> MongoStore::IndexNames(const Namespace& ns) {
  std::set<std::string> names;
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const CursorHandle cursor(mongoc_collection_find_indexes_with_opts(collection.get(), nullptr));
  const bson_t* index = nullptr;
  bson_iter_t name;
  while (mongoc_cursor_next(cursor.get(), &index)) {
    if (bson_iter_init_find(&name, index, "name") && BSON_ITER_HOLDS_UTF8(&name))
      names.emplace(bson_iter_utf8(&name, nullptr));
  }
  return names;
}

Status MongoStore::Ensure(const Namespace& ns, const Index& index) {
  bson_error_t error{};
  const bool done = index.retired ? DropIndex(client_.get(), ns, index.name, &error)
                                  : CreateIndex(client_.get(), ns, index, false, &error);
  if (done) return {};
  // There already but otherwise (85, 86), no such index on this server (238), no right to make one
  // (13): documents can land without.
  const bool tolerated = error.domain == MONGOC_ERROR_SERVER &&
                         (error.code == kUnauthorized ||
                          ClassifyCode(static_cast<int32_t>(error.code)) != CodeClass::kServer);
  const std::string what = fmt::format("{} index {} on {}.{}", index.retired ? "drop" : "create",
                                       index.name, ns.database, ns.collection);
  if (!tolerated) return MongoError(what, error);
  log_.Warning("{}: {} (code {}); {} may be slow", what, error.message, error.code,
               index.retired ? "writes" : "queries by it");
  return {};
}

Status MongoStore::Ping() {
  Bson command;
  BSON_APPEND_INT32(command.get(), "ping", 1);
  return PingDatabase(client_.get(), command.get());
}

class LibmongocPool final : public MongoPool {
 public:
  explicit LibmongocPool(UriHandle uri) : uri_(std::move(uri)) {}

  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    auto client = Client();
    if (!client.ok()) return client.error();
    return std::unique_ptr<DocumentStore>(
        std::make_unique<MongoStore>(std::move(client).value(), log));
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    auto client = Client();
    if (!client.ok()) return client.error();
    return MakeMongoProjections(std::move(client).value());
  }

  Result<std::unique_ptr<Completions>> NewCompletions() override {
    auto client = Client();
    if (!client.ok()) return client.error();
    return MakeMongoCompletions(std::move(client).value());
  }

 private:
  Result<ClientHandle> Client() {
    if (!pool_) {
      auto pool = NewMongoPool(uri_.get(), "tidegate-reader");
      if (!pool.ok()) return pool.error();
      pool_ = std::move(pool).value();
    }
    return TakeClient(pool_.get());
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

void SetDefaults(mongoc_uri_t* uri, std::chrono::milliseconds answer_within) {
  SetDefaultConcern(uri);
  SetUriDefault(uri, MONGOC_URI_SOCKETTIMEOUTMS, static_cast<int32_t>(answer_within.count()));
  SetUriDefault(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5'000);
  SetUriDefault(uri, MONGOC_URI_CONNECTTIMEOUTMS, 5'000);
  SetUriDefault(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, 5'000);
}
}  // namespace

Result<std::unique_ptr<MongoPool>> MongoPool::Open(const Options& options) {
  auto parsed = ParseMongoUri(options.uri);
  if (!parsed.ok()) return parsed.error();
  UriHandle uri = std::move(parsed).value();
  if (!mongoc_write_concern_is_acknowledged(mongoc_uri_get_write_concern(uri.get()))) {
    return Error{
        ErrorCode::kInvalid,
        "w=0 loses documents unseen and is refused: leave w out, or name a number or majority"};
  }
  SetDefaults(uri.get(), options.answer_within);
  return std::unique_ptr<MongoPool>(std::make_unique<LibmongocPool>(std::move(uri)));
}

std::string DatabaseOfUri(const std::string& text) {
  const auto uri = ParseMongoUri(text);
  const char* database = uri.ok() ? mongoc_uri_get_database(uri->get()) : nullptr;
  return database ? database : "";
}

}  // namespace tidegate::reader
