#include "reader/database/sqlite/sqlite_eraser.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <utility>

#include "reader/database/sqlite/sqlite_connection.h"
#include "reader/database/sqlite/sqlite_table.h"

namespace tidegate::reader {

namespace {
// A producer may write an asset's name as a number.
std::optional<int64_t> NumberOf(const std::string& asset) {
  int64_t number = 0;
  const char* end = asset.data() + asset.size();
  const auto parsed = std::from_chars(asset.data(), end, number);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}

// The parameters are 1 the tenant, 2 and 3 the asset.
std::string WhereSql(const Subject& subject) {
  std::string where =
      fmt::format("{} = ?1 AND json_type(body, '$.tidegate') IS NOT NULL", MemberSql("tenant_id"));
  if (!subject.asset.empty()) where += fmt::format(" AND {} IN (?2, ?3)", MemberSql("asset_id"));
  return where;
}

class SqliteEraser final : public Eraser {
 public:
  explicit SqliteEraser(std::string path) : connection_({.path = std::move(path)}) {}

  Status Connect();
  Result<std::vector<std::string>> Collections(const std::string& database) override;
  Result<uint64_t> Count(const Namespace& ns, const Subject& subject) override;
  Result<size_t> Remove(const Namespace& ns, const Subject& subject, size_t limit) override;
  Status Finish() override;

 private:
  Result<sqlite::Statement> Prepare(const std::string& sql, const Subject& subject);

  SqliteConnection connection_;
};

Status SqliteEraser::Connect() {
  if (connection_.is_open()) return {};
  if (Status status = connection_.Connect(); !status.ok()) return status;
  // Removed rows are overwritten with zeros.
  const Status status = connection_.database().Execute("PRAGMA secure_delete=ON");
  return status.ok() ? status : connection_.Failed("prepare", status.error());
}

Result<std::vector<std::string>> SqliteEraser::Collections(const std::string& database) {
  if (Status status = Connect(); !status.ok()) return status.error();
  auto select = connection_.database().Prepare(
      "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  if (!select.ok()) return connection_.Failed("read", select.error());
  std::vector<std::string> collections;
  const std::string prefix = database + ".";
  for (;;) {
    const auto row = select->Step();
    if (!row.ok()) return connection_.Failed("read", row.error());
    if (!*row) return collections;
    const std::string_view table = select->Text(0);
    if (!table.starts_with(prefix)) continue;
    std::string collection(table.substr(prefix.size()));
    if (!NamesNobody(collection)) collections.push_back(std::move(collection));
  }
}

// The subject must outlive the statement's run.
Result<sqlite::Statement> SqliteEraser::Prepare(const std::string& sql, const Subject& subject) {
  auto statement = connection_.database().Prepare(sql);
  if (!statement.ok()) return statement;
  statement->Bind(1, subject.tenant);
  if (subject.asset.empty()) return statement;
  statement->Bind(2, subject.asset);
  if (const auto number = NumberOf(subject.asset)) {
    statement->Bind(3, *number);
  } else {
    statement->Bind(3, subject.asset);
  }
  return statement;
}

Result<uint64_t> SqliteEraser::Count(const Namespace& ns, const Subject& subject) {
  if (Status status = Connect(); !status.ok()) return status.error();
  auto select = Prepare(
      fmt::format("SELECT count(*) FROM {} WHERE {}", QuotedTable(ns), WhereSql(subject)), subject);
  if (!select.ok()) return connection_.Failed("count in", select.error());
  const auto row = select->Step();
  if (!row.ok()) return connection_.Failed("count in", row.error());
  return *row ? static_cast<uint64_t>(select->Int(0)) : 0;
}

Result<size_t> SqliteEraser::Remove(const Namespace& ns, const Subject& subject, size_t limit) {
  if (Status status = Connect(); !status.ok()) return status.error();
  auto remove =
      Prepare(fmt::format("DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE {1} LIMIT {2})",
                          QuotedTable(ns), WhereSql(subject), limit),
              subject);
  if (!remove.ok()) return connection_.Failed("remove from", remove.error());
  if (Status status = remove->Run(); !status.ok())
    return connection_.Failed("remove from", status.error());
  return static_cast<size_t>(remove->Changes());
}

// Until a checkpoint the write-ahead log holds the rows as they were.
Status SqliteEraser::Finish() {
  if (Status status = Connect(); !status.ok()) return status;
  const auto busy = connection_.database().Query("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy.ok()) return connection_.Failed("checkpoint", busy.error());
  if (*busy == 0) return {};
  return Error{ErrorCode::kUnavailable,
               "checkpoint: other programs read the file; run the verb again"};
}
}  // namespace

Result<std::unique_ptr<Eraser>> OpenSqliteEraser(std::string path) {
  auto eraser = std::make_unique<SqliteEraser>(std::move(path));
  if (Status status = eraser->Connect(); !status.ok()) return status.error();
  return std::unique_ptr<Eraser>(std::move(eraser));
}

}  // namespace tidegate::reader
