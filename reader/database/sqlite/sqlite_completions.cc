#include "reader/database/sqlite/sqlite_completions.h"

#include <fmt/format.h>

#include <utility>

#include "core/time_format.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

namespace {
constexpr int kBusyTimeoutMs = 5'000;

std::string MarkPath(const std::string& mark) {
  return SqlQuoted("$.tidegate." + mark, '\'');
}

std::string MemberPath(const std::string& member) {
  return SqlQuoted("$.\"" + member + "\"", '\'');
}

class SqliteCompletions final : public Completions {
 public:
  explicit SqliteCompletions(std::string path) : path_(std::move(path)) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override;
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override;
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override;

 private:
  Status Connect();
  int Run(const std::string& sql) { return RunSql(database_.get(), sql); }
  int Update(const std::string& sql, std::span<const Completion> completions, bool with_value,
             size_t& changed);
  // Closes a connection that may be doubtful; the next call opens a new one.
  Error Failed(std::string_view operation, int code) {
    if (code != SQLITE_BUSY && code != SQLITE_FULL) database_.reset();
    return SqlError(operation, path_, code);
  }

  const std::string path_;
  SqliteHandle database_;
};

Status SqliteCompletions::Connect() {
  if (database_) return {};
  sqlite3* raw = nullptr;
  // The workers' stores make and check the file.
  const int code =
      sqlite3_open_v2(path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(raw);
  if (code != SQLITE_OK) {
    database_.reset();
    return Failed("open", code);
  }
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  if (const int set = Run("PRAGMA synchronous=FULL"); set != SQLITE_OK)
    return Failed("prepare", set);
  return {};
}

Status SqliteCompletions::EnsureIndex(const Namespace& ns, const std::string& mark) {
  if (Status status = Connect(); !status.ok()) return status;
  const int code = Run(fmt::format(
      "{3};CREATE INDEX IF NOT EXISTS {1} ON {0}(json_extract(body, {2})) WHERE json_extract(body, "
      "{2}) "
      "IS NOT NULL",
      TableOf(ns), SqlQuoted(TableName(ns) + "." + mark, '"'), MarkPath(mark), CreateTableSql(ns)));
  return code == SQLITE_OK ? Status() : Failed("create the index of marks in", code);
}

Result<std::vector<PendingDocument>> SqliteCompletions::Find(const PendingQuery& query) {
  if (Status status = Connect(); !status.ok()) return status.error();
  StatementHandle statement;
  const std::string mark = fmt::format("json_extract(body, {})", MarkPath(query.mark));
  int code = PrepareSql(
      database_.get(),
      fmt::format(
          "SELECT id, json_extract(body, {1}), {0} FROM {2} WHERE {0} IS NOT NULL AND {0} >= "
          "?1 ORDER BY {0} LIMIT ?2",
          mark, MemberPath(query.key), TableOf(query.ns)),
      statement);
  if (code != SQLITE_OK) return Failed("look for documents that wait in", code);
  const std::string from = query.from ? FormatTime(*query.from) : "";
  BindText(statement.get(), 1, from);
  sqlite3_bind_int64(statement.get(), 2, static_cast<int64_t>(query.limit));
  std::vector<PendingDocument> found;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    PendingDocument document{.id = ColumnText(statement.get(), 0)};
    const int type = sqlite3_column_type(statement.get(), 1);
    if (type == SQLITE_TEXT || type == SQLITE_INTEGER)
      document.key = ColumnText(statement.get(), 1);
    document.since = ParseTime(ColumnText(statement.get(), 2)).value_or(WallTime{});
    found.push_back(std::move(document));
  }
  if (code != SQLITE_DONE) return Failed("look for documents that wait in", code);
  return found;
}

int SqliteCompletions::Update(const std::string& sql, std::span<const Completion> completions,
                              bool with_value, size_t& changed) {
  StatementHandle statement;
  int code = PrepareSql(database_.get(), sql, statement);
  for (const Completion& completion : completions) {
    if (code != SQLITE_OK) return code;
    if ((completion.value != nullptr) != with_value) continue;
    std::string value;
    BindText(statement.get(), 1, completion.id);
    if (with_value) {
      json::Writer(value).Copy(completion.value->root());
      BindText(statement.get(), 2, value);
    }
    code = sqlite3_step(statement.get());
    if (code != SQLITE_DONE) return code;
    changed += static_cast<size_t>(sqlite3_changes(database_.get()));
    code = sqlite3_reset(statement.get());
  }
  return code;
}

Result<size_t> SqliteCompletions::Complete(const Namespace& ns, const std::string& mark,
                                           const std::string& into,
                                           std::span<const Completion> completions) {
  if (Status status = Connect(); !status.ok()) return status.error();
  const std::string where =
      fmt::format("WHERE id = ?1 AND json_extract(body, {}) IS NOT NULL", MarkPath(mark));
  const std::string unset = fmt::format("json_remove(body, {})", MarkPath(mark));
  size_t changed = 0;
  int code = Run("BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return Failed("begin in", code);
  code = Update(fmt::format("UPDATE {} SET body = {} {}", TableOf(ns), unset, where), completions,
                false, changed);
  if (code == SQLITE_OK) {
    code = Update(fmt::format("UPDATE {0} SET body = json_insert({1}, {2}, json(?2)) {3} AND "
                              "json_type(body, {2}) IS NULL",
                              TableOf(ns), unset, MemberPath(into), where),
                  completions, true, changed);
  }
  if (code == SQLITE_OK) code = Run("COMMIT");
  if (code == SQLITE_OK) return changed;
  Run("ROLLBACK");
  return Failed("complete documents in", code);
}
}  // namespace

Result<std::unique_ptr<Completions>> OpenSqliteCompletions(const std::string& path) {
  return std::unique_ptr<Completions>(std::make_unique<SqliteCompletions>(path));
}

}  // namespace tidegate::reader
