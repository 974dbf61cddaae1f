#include "reader/database/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/time_format.h"
#include "reader/database/document_json.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

namespace {
std::string IndexSql(const Namespace& ns, const Index& index) {
  const std::string name = SqlQuoted(TableName(ns) + "." + index.name, '"');
  if (index.retired) return fmt::format("DROP INDEX IF EXISTS {}", name);
  std::string columns;
  for (const auto& [member, direction] : index.keys) {
    if (!columns.empty()) columns += ", ";
    columns += member == "_id"
                   ? "id"
                   : fmt::format("json_extract(body, {})", SqlQuoted("$." + member, '\''));
    if (direction < 0) columns += " DESC";
  }
  return fmt::format("CREATE INDEX IF NOT EXISTS {} ON {}({})", name, TableOf(ns), columns);
}

}  // namespace

struct SqliteStore::Connection {
  SqliteHandle database;
  std::map<Namespace, StatementHandle> inserts;

  int Run(const std::string& sql) { return RunSql(database.get(), sql); }
  int InsertFor(const Namespace& ns, sqlite3_stmt** statement);
};

int SqliteStore::Connection::InsertFor(const Namespace& ns, sqlite3_stmt** statement) {
  auto found = inserts.find(ns);
  if (found == inserts.end()) {
    StatementHandle made;
    const std::string sql = fmt::format(
        "INSERT INTO {}(id, body) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING", TableOf(ns));
    if (const int code = PrepareOnTable(database.get(), ns, sql, made); code != SQLITE_OK)
      return code;
    found = inserts.emplace(ns, std::move(made)).first;
  }
  *statement = found->second.get();
  return SQLITE_OK;
}

SqliteStore::SqliteStore(Options options) : options_(std::move(options)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  if (Status status = store->Connect(); !status.ok()) return status.error();
  return store;
}

Status SqliteStore::Connect() {
  if (connection_) return {};
  auto database = OpenLandingFile(options_.path, options_.busy_timeout);
  if (!database.ok()) return database.error();
  connection_ = std::make_unique<Connection>();
  connection_->database = std::move(database).value();
  return {};
}

Status SqliteStore::Failed(std::string_view operation, int code) {
  // A full disk or a busy file says nothing about the connection; anything else may.
  if (code != SQLITE_BUSY && code != SQLITE_FULL) connection_.reset();
  // What a rolled-back transaction created is gone, and with it the statements on it.
  if (connection_) connection_->inserts.clear();
  return SqlError(operation, options_.path, code);
}

Result<std::vector<WriteResult>> SqliteStore::Write(std::span<const Document> documents) {
  if (Status status = Connect(); !status.ok()) return status.error();
  std::vector<WriteResult> results;
  results.reserve(documents.size());
  if (const int code = Insert(documents, results); code != SQLITE_OK)
    return Failed("insert into", code).error();
  return results;
}

int SqliteStore::Insert(std::span<const Document> documents, std::vector<WriteResult>& results) {
  sqlite3* database = connection_->database.get();
  if (const int code = connection_->Run("BEGIN IMMEDIATE"); code != SQLITE_OK) return code;
  SqliteTransaction transaction(database);
  for (const Document& document : documents) {
    sqlite3_stmt* insert = nullptr;
    if (const int code = connection_->InsertFor(document.ns, &insert); code != SQLITE_OK)
      return code;
    const std::string body = DocumentJson(document);
    BindText(insert, 1, document.id);
    BindText(insert, 2, body);
    const int code = sqlite3_step(insert);
    const bool landed = sqlite3_changes(database) > 0;
    sqlite3_reset(insert);
    sqlite3_clear_bindings(insert);
    if (code == SQLITE_TOOBIG) {
      results.push_back({Outcome::kRejected, "larger than SQLite takes"});
    } else if (code == SQLITE_DONE) {
      results.push_back({landed ? Outcome::kLanded : Outcome::kDuplicate, {}});
    } else {
      return code;
    }
  }
  return transaction.Commit();
}

Status SqliteStore::EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) {
  if (Status status = Connect(); !status.ok()) return status;
  int code = connection_->Run(CreateTableSql(ns));
  for (const Index& index : indexes) {
    if (code == SQLITE_OK) code = connection_->Run(IndexSql(ns, index));
  }
  return code == SQLITE_OK ? Status() : Failed("create indexes in", code);
}

Result<size_t> SqliteStore::Expire(const Namespace& ns, WallTime now, size_t limit) {
  if (Status status = Connect(); !status.ok()) return status.error();
  const std::string table = TableOf(ns);
  // Times are text that sorts, and the expiry index is on exactly this expression.
  const int code = connection_->Run(
      fmt::format("DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE json_extract(body, "
                  "'$.tidegate.expires_at') <= '{1}' LIMIT {2})",
                  table, FormatTime(now), limit));
  if (code != SQLITE_OK) return Failed("remove what has expired from", code).error();
  return static_cast<size_t>(sqlite3_changes(connection_->database.get()));
}

Status SqliteStore::Ping() {
  if (Status status = Connect(); !status.ok()) return status;
  int version = 0;
  const int code = ReadSqlNumber(connection_->database.get(), "PRAGMA user_version", version);
  return code == SQLITE_OK ? Status() : Failed("read", code);
}

}  // namespace tidegate::reader
