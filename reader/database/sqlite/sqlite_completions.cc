#include "reader/database/sqlite/sqlite_completions.h"

#include <fmt/format.h>

#include <utility>

#include "core/sqlite/transaction.h"
#include "core/time_format.h"
#include "reader/database/sqlite/sqlite_connection.h"
#include "reader/database/sqlite/sqlite_table.h"

namespace tidegate::reader {

namespace {
std::string MarkPath(const std::string& mark) {
  return SqlQuoted("$.tidegate." + mark, '\'');
}

std::string MemberPath(const std::string& member) {
  return SqlQuoted("$.\"" + member + "\"", '\'');
}

class SqliteCompletions final : public Completions {
 public:
  explicit SqliteCompletions(std::string path)
      : connection_({.path = std::move(path), .access = SqliteConnection::Access::kExisting}) {}

  Status EnsureIndex(const Namespace& ns, const std::string& mark) override;
  Result<std::vector<PendingDocument>> Find(const PendingQuery& query) override;
  Result<size_t> Complete(const Namespace& ns, const std::string& mark, const std::string& into,
                          std::span<const Completion> completions) override;

 private:
  Result<std::vector<PendingDocument>> Select(const PendingQuery& query);
  // Runs the update for each completion that has a value, or for each that has none. Returns how
  // many documents changed.
  Result<size_t> Update(const std::string& sql, std::span<const Completion> completions,
                        bool with_value);
  Result<size_t> UpdateAll(const Namespace& ns, const std::string& mark, const std::string& into,
                           std::span<const Completion> completions);

  SqliteConnection connection_;
};

Status SqliteCompletions::EnsureIndex(const Namespace& ns, const std::string& mark) {
  if (Status status = connection_.Connect(); !status.ok()) return status;
  const Status status = connection_.database().Execute(fmt::format(
      "{3};CREATE INDEX IF NOT EXISTS {1} ON {0}(json_extract(body, {2})) WHERE json_extract(body, "
      "{2}) IS NOT NULL",
      QuotedTable(ns), SqlQuoted(TableName(ns) + "." + mark, '"'), MarkPath(mark),
      CreateTableSql(ns)));
  return status.ok() ? status : connection_.Failed("create the index of marks in", status.error());
}

Result<std::vector<PendingDocument>> SqliteCompletions::Find(const PendingQuery& query) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  auto found = Select(query);
  if (!found.ok()) return connection_.Failed("look for documents that wait in", found.error());
  return found;
}

Result<std::vector<PendingDocument>> SqliteCompletions::Select(const PendingQuery& query) {
  auto select = connection_.database().Prepare(
      fmt::format("SELECT id, json_extract(body, {1}), {0}, json_extract(body, '$.tenant_id') FROM "
                  "{2} WHERE {0} IS NOT NULL AND {0} >= ?1 ORDER "
                  "BY {0} LIMIT ?2",
                  fmt::format("json_extract(body, {})", MarkPath(query.mark)),
                  MemberPath(query.key), QuotedTable(query.ns)));
  if (!select.ok()) return select.error();
  const std::string from = query.from ? FormatTime(*query.from) : "";
  select->Bind(1, from).Bind(2, static_cast<int64_t>(query.limit));
  std::vector<PendingDocument> found;
  for (;;) {
    const auto row = select->Step();
    if (!row.ok()) return row.error();
    if (!*row) return found;
    PendingDocument document{.id = std::string(select->Text(0))};
    const sqlite::ColumnType type = select->Type(1);
    if (type == sqlite::ColumnType::kText || type == sqlite::ColumnType::kInteger)
      document.key = select->Text(1);
    if (select->Type(3) == sqlite::ColumnType::kText) document.tenant = select->Text(3);
    document.since = ParseTime(select->Text(2)).value_or(WallTime{});
    found.push_back(std::move(document));
  }
}

Result<size_t> SqliteCompletions::Update(const std::string& sql,
                                         std::span<const Completion> completions, bool with_value) {
  auto update = connection_.database().Prepare(sql);
  if (!update.ok()) return update.error();
  size_t changed = 0;
  for (const Completion& completion : completions) {
    if ((completion.value != nullptr) != with_value) continue;
    std::string value;
    update->Bind(1, completion.id);
    if (with_value) {
      json::Writer(value).Copy(completion.value->root());
      update->Bind(2, value);
    }
    if (Status status = update->Run(); !status.ok()) return status.error();
    changed += static_cast<size_t>(update->Changes());
  }
  return changed;
}

Result<size_t> SqliteCompletions::UpdateAll(const Namespace& ns, const std::string& mark,
                                            const std::string& into,
                                            std::span<const Completion> completions) {
  const std::string where =
      fmt::format("WHERE id = ?1 AND json_extract(body, {}) IS NOT NULL", MarkPath(mark));
  const std::string unset = fmt::format("json_remove(body, {})", MarkPath(mark));
  auto transaction = sqlite::Transaction::Begin(connection_.database());
  if (!transaction.ok()) return transaction.error();
  const auto cleared = Update(
      fmt::format("UPDATE {} SET body = {} {}", QuotedTable(ns), unset, where), completions, false);
  if (!cleared.ok()) return cleared;
  const auto completed =
      Update(fmt::format("UPDATE {0} SET body = json_insert({1}, {2}, json(?2)) {3} AND "
                         "json_type(body, {2}) IS NULL",
                         QuotedTable(ns), unset, MemberPath(into), where),
             completions, true);
  if (!completed.ok()) return completed;
  if (Status status = transaction->Commit(); !status.ok()) return status.error();
  return *cleared + *completed;
}

Result<size_t> SqliteCompletions::Complete(const Namespace& ns, const std::string& mark,
                                           const std::string& into,
                                           std::span<const Completion> completions) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  auto changed = UpdateAll(ns, mark, into, completions);
  if (!changed.ok()) return connection_.Failed("complete documents in", changed.error());
  return changed;
}
}  // namespace

std::unique_ptr<Completions> OpenSqliteCompletions(std::string path) {
  return std::make_unique<SqliteCompletions>(std::move(path));
}

}  // namespace tidegate::reader
