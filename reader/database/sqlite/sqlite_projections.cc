#include "reader/database/sqlite/sqlite_projections.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "core/time_format.h"
#include "reader/database/projection_document.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

namespace {
// What we wrote ourselves, so that the limits only keep a foreign hand's document from harm.
constexpr json::Limits kLimits{
    .max_bytes = 16 * 1024 * 1024, .max_depth = 64, .max_values = 500'000};

// A body that is no JSON object reads as nothing: SQLite's own checks would have failed before.
Object ReadBody(const std::optional<std::string>& body) {
  if (!body) return {};
  const auto parsed = json::Document::Parse(*body, kLimits);
  if (!parsed.ok() || !parsed->root().is_object()) return {};
  return std::get<Object>(ToValue(parsed->root()).is);
}

// Whether it changed a row.
int RunOnce(sqlite3* database, sqlite3_stmt* statement, bool& changed) {
  const int code = sqlite3_step(statement);
  changed = sqlite3_changes(database) > 0;
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}
}  // namespace

struct SqliteProjections::Connection {
  SqliteHandle database;
  std::map<std::string, StatementHandle> statements;

  // Prepared once; makes the table first where it is not there.
  int Prepare(const Namespace& ns, const std::string& sql, sqlite3_stmt** statement) {
    auto found = statements.find(sql);
    if (found == statements.end()) {
      StatementHandle made;
      if (const int code = PrepareOnTable(database.get(), ns, sql, made); code != SQLITE_OK)
        return code;
      found = statements.emplace(sql, std::move(made)).first;
    }
    *statement = found->second.get();
    return SQLITE_OK;
  }
  // The same, but looking makes no table: a null where there is none.
  int PrepareRead(const Namespace& ns, const std::string& sql, sqlite3_stmt** statement) {
    *statement = nullptr;
    bool has = statements.contains(sql);
    const int code = has ? SQLITE_OK : HasTable(database.get(), ns, has);
    return has ? Prepare(ns, sql, statement) : code;
  }
};

SqliteProjections::SqliteProjections(Options options) : options_(std::move(options)) {}
SqliteProjections::~SqliteProjections() = default;

Result<std::unique_ptr<SqliteProjections>> SqliteProjections::Open(Options options) {
  std::unique_ptr<SqliteProjections> store(new SqliteProjections(std::move(options)));
  if (Status status = store->Connect(); !status.ok()) return status.error();
  return store;
}

Status SqliteProjections::Connect() {
  if (connection_) return {};
  auto database = OpenLandingFile(options_.path, options_.busy_timeout);
  if (!database.ok()) return database.error();
  connection_ = std::make_unique<Connection>();
  connection_->database = std::move(database).value();
  return {};
}

Error SqliteProjections::Failed(std::string_view operation, int code) {
  // The next call opens a new connection: statements on what was rolled back are no good.
  connection_.reset();
  return SqlError(operation, options_.path, code);
}

int SqliteProjections::Read(std::span<const DocumentKey> keys,
                            std::vector<std::optional<std::string>>& bodies) {
  for (const DocumentKey& key : keys) {
    sqlite3_stmt* select = nullptr;
    const std::string sql = fmt::format("SELECT body FROM {} WHERE id=?1", TableOf(key.ns));
    if (const int code = connection_->PrepareRead(key.ns, sql, &select); code != SQLITE_OK)
      return code;
    if (!select) {
      bodies.emplace_back();
      continue;
    }
    BindText(select, 1, key.id);
    const int code = sqlite3_step(select);
    std::optional<std::string> body;
    if (code == SQLITE_ROW) {
      body.emplace(static_cast<const char*>(sqlite3_column_blob(select, 0)),
                   static_cast<size_t>(sqlite3_column_bytes(select, 0)));
    }
    sqlite3_reset(select);
    sqlite3_clear_bindings(select);
    if (code != SQLITE_ROW && code != SQLITE_DONE) return code;
    bodies.push_back(std::move(body));
  }
  return SQLITE_OK;
}

Result<std::vector<Projection>> SqliteProjections::Load(std::span<const DocumentKey> keys) {
  if (Status status = Connect(); !status.ok()) return status.error();
  std::vector<std::optional<std::string>> bodies;
  if (const int code = Read(keys, bodies); code != SQLITE_OK)
    return Failed("read projections from", code);
  std::vector<Projection> projections;
  projections.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i)
    projections.push_back(ReadProjection(keys[i], ReadBody(bodies[i])));
  return projections;
}

int SqliteProjections::SaveAll(std::span<const Projection> projections,
                               std::vector<SaveOutcome>& outcomes) {
  sqlite3* database = connection_->database.get();
  if (const int code = RunSql(database, "BEGIN IMMEDIATE"); code != SQLITE_OK) return code;
  SqliteTransaction transaction(database);
  for (const Projection& projection : projections) {
    const Namespace& ns = projection.key.ns;
    const bool is_new = projection.revision == 0;
    const std::string sql =
        is_new ? fmt::format("INSERT INTO {}(id, body) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING",
                             TableOf(ns))
               : fmt::format(
                     "UPDATE {} SET body=?2 WHERE id=?1 AND body ->> '$.tidegate.revision'"
                     " = ?3",
                     TableOf(ns));
    sqlite3_stmt* save = nullptr;
    if (const int code = connection_->Prepare(ns, sql, &save); code != SQLITE_OK) return code;
    const std::string body = ToJson(StoredForm(projection));
    BindText(save, 1, projection.key.id);
    BindText(save, 2, body);
    if (!is_new) sqlite3_bind_int64(save, 3, projection.revision);
    bool changed = false;
    if (const int code = RunOnce(database, save, changed); code != SQLITE_OK) return code;
    outcomes.push_back(changed ? SaveOutcome::kSaved : SaveOutcome::kConflict);
  }
  return transaction.Commit();
}

Result<std::vector<SaveOutcome>> SqliteProjections::Save(std::span<const Projection> projections) {
  if (Status status = Connect(); !status.ok()) return status.error();
  std::vector<SaveOutcome> outcomes;
  if (projections.empty()) return outcomes;
  if (const int code = SaveAll(projections, outcomes); code != SQLITE_OK)
    return Failed("save projections in", code);
  return outcomes;
}

Result<std::vector<std::optional<Landed>>> SqliteProjections::FindLanded(
    std::span<const DocumentKey> keys) {
  if (Status status = Connect(); !status.ok()) return status.error();
  std::vector<std::optional<std::string>> bodies;
  if (const int code = Read(keys, bodies); code != SQLITE_OK)
    return Failed("read documents from", code);
  std::vector<std::optional<Landed>> found;
  for (const auto& body : bodies) found.push_back(ReadLanded(ReadBody(body)));
  return found;
}

Status SqliteProjections::EachLanded(const Namespace& ns, const TakeLanded& take) {
  if (Status status = Connect(); !status.ok()) return status;
  const auto failed = [&](int code) { return Failed("read documents from", code); };
  StatementHandle select;
  const std::string sql = fmt::format(
      "SELECT body FROM {} ORDER BY body ->> '$.tidegate.topic', body ->> '$.tidegate.partition', "
      "body ->> '$.tidegate.offset'",
      TableOf(ns));
  int code = PrepareOnTable(connection_->database.get(), ns, sql, select);
  if (code != SQLITE_OK) return failed(code);
  while ((code = sqlite3_step(select.get())) == SQLITE_ROW) {
    if (Status status = take(ColumnText(select.get(), 0)); !status.ok()) return status;
  }
  if (code == SQLITE_DONE) return {};
  select.reset();
  return failed(code);
}

Status SqliteProjections::Clear(const Namespace& ns) {
  if (Status status = Connect(); !status.ok()) return status;
  sqlite3_stmt* clear = nullptr;
  int code = connection_->Prepare(ns, fmt::format("DELETE FROM {}", TableOf(ns)), &clear);
  bool changed = false;
  if (code == SQLITE_OK) code = RunOnce(connection_->database.get(), clear, changed);
  return code == SQLITE_OK ? Status() : Status(Failed("clear a table of", code));
}

Result<Offsets> SqliteProjections::ReadPositions(const std::string& database,
                                                 std::span<const std::string> partitions) {
  if (Status status = Connect(); !status.ok()) return status.error();
  std::vector<DocumentKey> keys;
  for (const std::string& partition : partitions)
    keys.push_back({{database, kPositions}, partition});
  std::vector<std::optional<std::string>> bodies;
  if (const int code = Read(keys, bodies); code != SQLITE_OK)
    return Failed("read positions from", code);
  Offsets positions;
  for (size_t i = 0; i < bodies.size(); ++i) {
    if (bodies[i]) positions[partitions[i]] = ReadBody(bodies[i]).Integer("next_offset");
  }
  return positions;
}

int SqliteProjections::Advance(const Namespace& ns, const Offsets& next, WallTime now) {
  sqlite3* database = connection_->database.get();
  if (const int code = RunSql(database, "BEGIN IMMEDIATE"); code != SQLITE_OK) return code;
  SqliteTransaction transaction(database);
  const std::string sql = fmt::format(
      "INSERT INTO {}(id, body) VALUES(?1, json_object('_id', ?1, 'next_offset', ?2, "
      "'updated_at', ?3)) ON CONFLICT(id) DO UPDATE SET body=excluded.body "
      "WHERE body ->> '$.next_offset' < ?2",
      TableOf(ns));
  sqlite3_stmt* advance = nullptr;
  if (const int code = connection_->Prepare(ns, sql, &advance); code != SQLITE_OK) return code;
  const std::string updated = FormatTime(now);
  for (const auto& [partition, offset] : next) {
    BindText(advance, 1, partition);
    sqlite3_bind_int64(advance, 2, offset);
    BindText(advance, 3, updated);
    bool changed = false;
    if (const int code = RunOnce(database, advance, changed); code != SQLITE_OK) return code;
  }
  return transaction.Commit();
}

Status SqliteProjections::WritePositions(const std::string& database, const Offsets& next,
                                         WallTime now) {
  if (Status status = Connect(); !status.ok()) return status;
  if (next.empty()) return {};
  const int code = Advance({database, kPositions}, next, now);
  return code == SQLITE_OK ? Status() : Status(Failed("write positions in", code));
}

}  // namespace tidegate::reader
