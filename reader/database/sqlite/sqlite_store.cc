#include "reader/database/sqlite/sqlite_store.h"

#include <fmt/format.h>

#include <utility>

#include "core/sqlite/transaction.h"
#include "core/time_format.h"
#include "reader/database/document_json.h"
#include "reader/database/sqlite/sqlite_table.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kInsertDocument =
    "INSERT INTO {}(id, body) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING";

constexpr size_t kMaxTables = 20'000;

std::string IndexSql(const Namespace& ns, const Index& index) {
  const std::string name = SqlQuoted(TableName(ns) + "." + index.name, '"');
  if (index.retired) return fmt::format("DROP INDEX IF EXISTS {}", name);
  std::string columns;
  for (const auto& [member, direction] : index.keys) {
    if (!columns.empty()) columns += ", ";
    columns += member == "_id" ? "id" : MemberSql(member);
    if (direction < 0) columns += " DESC";
  }
  return fmt::format("CREATE INDEX IF NOT EXISTS {} ON {}({})", name, QuotedTable(ns), columns);
}
}  // namespace

SqliteStore::SqliteStore(Options options)
    : connection_({.path = std::move(options.path), .busy_timeout = options.busy_timeout}) {}

Result<std::unique_ptr<SqliteStore>> SqliteStore::Open(Options options) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(options)));
  if (Status status = store->connection_.Connect(); !status.ok()) return status.error();
  return store;
}

Result<std::vector<WriteResult>> SqliteStore::Write(std::span<const Document> documents) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  auto results = InsertAll(documents);
  if (!results.ok()) {
    tables_.clear();
    return connection_.Failed("insert into", results.error());
  }
  CHECK(results->size() == documents.size(), "each document has one result");
  return results;
}

Result<std::vector<WriteResult>> SqliteStore::InsertAll(std::span<const Document> documents) {
  auto transaction = sqlite::Transaction::Begin(connection_.database());
  if (!transaction.ok()) return transaction.error();
  std::vector<WriteResult> results;
  results.reserve(documents.size());
  for (const Document& document : documents) {
    if (Status status = EnsureTable(document.ns); !status.ok()) return status.error();
    auto result = Insert(document);
    if (!result.ok()) return result.error();
    results.push_back(std::move(*result));
  }
  if (Status status = transaction->Commit(); !status.ok()) return status.error();
  return results;
}

Status SqliteStore::EnsureTable(const Namespace& ns) {
  if (tables_.contains(ns)) return {};
  Status status = connection_.database().Execute(CreateTableSql(ns));
  if (!status.ok()) return status;
  if (tables_.size() >= kMaxTables) tables_.clear();
  tables_.insert(ns);
  return {};
}

Result<WriteResult> SqliteStore::Insert(const Document& document) {
  const auto insert = connection_.Kept(document.ns, kInsertDocument);
  if (!insert.ok()) return insert.error();
  const std::string body = DocumentJson(document);
  const Status status = (*insert)->Bind(1, document.id).Bind(2, body).Run();
  if (status.ok()) {
    const bool is_new = (*insert)->Changes() > 0;
    return WriteResult{is_new ? WriteOutcome::kLanded : WriteOutcome::kDuplicate, {}};
  }
  if (status.error().code != ErrorCode::kRejected) return status.error();
  return WriteResult{WriteOutcome::kRejected, "larger than SQLite takes"};
}

Status SqliteStore::EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) {
  if (Status status = connection_.Connect(); !status.ok()) return status;
  Status status = RunAll(ns, indexes);
  return status.ok() ? status : connection_.Failed("create indexes in", status.error());
}

Status SqliteStore::RunAll(const Namespace& ns, std::span<const Index> indexes) {
  Status status = connection_.database().Execute(CreateTableSql(ns));
  for (const Index& index : indexes) {
    if (status.ok()) status = connection_.database().Execute(IndexSql(ns, index));
  }
  return status;
}

Result<size_t> SqliteStore::Expire(const Namespace& ns, WallTime now, size_t limit) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  auto removed = RemoveExpired(ns, now, limit);
  if (!removed.ok()) return connection_.Failed("remove what has expired from", removed.error());
  return removed;
}

Result<size_t> SqliteStore::RemoveExpired(const Namespace& ns, WallTime now, size_t limit) {
  const auto has = connection_.HasTable(ns);
  if (!has.ok()) return has.error();
  if (!*has) return size_t{0};
  // Times are text that sorts, and the expiry index is on exactly this expression.
  auto remove = connection_.database().Prepare(
      fmt::format("DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE {1} <= ?1 LIMIT ?2)",
                  QuotedTable(ns), MemberSql("tidegate.expires_at")));
  if (!remove.ok()) return remove.error();
  const std::string time = FormatTime(now);
  Status status = remove->Bind(1, time).Bind(2, static_cast<int64_t>(limit)).Run();
  if (!status.ok()) return status.error();
  return static_cast<size_t>(remove->Changes());
}

Status SqliteStore::Ping() {
  if (Status status = connection_.Connect(); !status.ok()) return status;
  const auto version = connection_.database().Query("PRAGMA user_version");
  return version.ok() ? Status() : connection_.Failed("read", version.error());
}

}  // namespace tidegate::reader
