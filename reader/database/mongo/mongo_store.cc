#include "reader/database/mongo/mongo_store.h"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/mongo/mongo_command.h"
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
  // Writes as many of the documents at `positions` as one command holds, and stores their results
  // at the same positions. Returns how many that were, at least one.
  Result<size_t> WriteCommand(const CommandLimits& limits, const Namespace& ns,
                              std::span<const Document> documents,
                              std::span<const size_t> positions, std::vector<WriteResult>& results);
  // Writes them in two commands, after the server refused the whole for one document's sake.
  Status WriteInHalves(const CommandLimits& limits, const Namespace& ns,
                       std::span<const Document> documents, std::span<const size_t> positions,
                       std::vector<WriteResult>& results, const Error& error);
  // The names of the collection's indexes, also of those that are being made; empty if the server
  // does not tell. kUnavailable: it does not answer.
  Result<std::set<std::string>> IndexNames(const Namespace& ns);
  Status Ensure(const Namespace& ns, const Index& index);

  ClientHandle client_;
  const Log& log_;
  LogLimit index_log_;
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
      const Result<size_t> written = WriteCommand(*limits, ns, documents, rest, results);
      if (!written.ok()) return written.error();
      CHECK(*written > 0 && *written <= rest.size(), "a command takes at least one document");
      rest = rest.subspan(*written);
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
    CHECK(outcome->size() == sent.size(), "each document sent has one result");
    for (size_t i = 0; i < sent.size(); ++i) results[sent[i]] = (*outcome)[i];
    return taken;
  }
  if (outcome.error().code != ErrorCode::kRejected) return outcome.error();
  if (Status status = WriteInHalves(limits, ns, documents, sent, results, outcome.error());
      !status.ok())
    return status.error();
  return taken;
}

Status MongoStore::WriteInHalves(const CommandLimits& limits, const Namespace& ns,
                                 std::span<const Document> documents,
                                 std::span<const size_t> positions,
                                 std::vector<WriteResult>& results, const Error& error) {
  if (positions.size() == 1) {
    results[positions.front()] = {WriteOutcome::kRejected, error.message};
    return {};
  }
  const size_t half = positions.size() / 2;
  for (std::span<const size_t> part : {positions.first(half), positions.subspan(half)}) {
    // What one command held, a part of it holds.
    const Result<size_t> written = WriteCommand(limits, ns, documents, part, results);
    if (!written.ok()) return written.error();
    CHECK(*written == part.size(), "half of a command fits into one");
  }
  return {};
}

Status MongoStore::EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) {
  const auto there = IndexNames(ns);
  if (!there.ok()) return there.error();
  for (const Index& index : indexes) {
    // The index that documents expire by is asked for in any case: the server then reports one of
    // that name with other keys.
    if (there->contains(index.name) != index.retired && !index.expires) continue;
    if (Status status = Ensure(ns, index); !status.ok()) return status;
  }
  return {};
}

Result<std::set<std::string>> MongoStore::IndexNames(const Namespace& ns) {
  std::set<std::string> names;
  const CollectionHandle collection = CollectionOf(client_.get(), ns);
  const CursorHandle cursor(mongoc_collection_find_indexes_with_opts(collection.get(), nullptr));
  const bson_t* index = nullptr;
  bson_iter_t name;
  while (mongoc_cursor_next(cursor.get(), &index)) {
    if (bson_iter_init_find(&name, index, "name") && BSON_ITER_HOLDS_UTF8(&name))
      names.emplace(bson_iter_utf8(&name, nullptr));
  }
  bson_error_t error{};
  if (mongoc_cursor_error(cursor.get(), &error) &&
      (error.domain == MONGOC_ERROR_STREAM || error.domain == MONGOC_ERROR_SERVER_SELECTION))
    return MongoError("list indexes of " + ns.database + "." + ns.collection, error);
  return names;
}

Status MongoStore::Ensure(const Namespace& ns, const Index& index) {
  bson_error_t error{};
  const bool done = index.retired ? DropIndex(client_.get(), ns, index.name, &error)
                                  : CreateIndex(client_.get(), ns, index, false, &error);
  if (done) return {};
  // The index exists with other keys (85, 86), this server cannot make it (238), or we may not make
  // it (13): documents can land without it.
  const bool tolerated = error.domain == MONGOC_ERROR_SERVER &&
                         (error.code == kUnauthorized ||
                          ClassifyCode(static_cast<int32_t>(error.code)) != CodeClass::kServer);
  const std::string what = fmt::format("{} index {} on {}.{}", index.retired ? "drop" : "create",
                                       index.name, ns.database, ns.collection);
  if (!tolerated) return MongoError(what, error);
  if (const auto count = index_log_.Count(std::chrono::steady_clock::now().time_since_epoch()))
    log_.Warning("{}: {} (code {}); {} may be slow ({} times)", what, error.message, error.code,
                 index.retired ? "writes" : "queries by it", *count);
  return {};
}

Status MongoStore::Ping() {
  Bson command;
  BSON_APPEND_INT32(command.get(), "ping", 1);
  return PingDatabase(client_.get(), command.get());
}
}  // namespace

std::unique_ptr<DocumentStore> MakeMongoStore(ClientHandle client, const Log& log) {
  return std::make_unique<MongoStore>(std::move(client), log);
}

}  // namespace tidegate::reader
