#include "reader/database/sqlite/sqlite_query_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "core/time_format.h"
#include "reader/database/sqlite/sqlite_connection.h"
#include "reader/database/sqlite/sqlite_query.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// How many of SQLite's steps lie between two looks at the clock: about a millisecond.
constexpr int kStepsBetweenLooks = 10'000;

class SqliteQueryStore final : public QueryStore {
 public:
  // The clock must outlive the store.
  SqliteQueryStore(std::string path, const Clock& clock);
  SqliteQueryStore(const SqliteQueryStore&) = delete;
  SqliteQueryStore& operator=(const SqliteQueryStore&) = delete;

  Result<Page> Find(const Query& query, const PageLimit& limit,
                    std::chrono::milliseconds within) override;
  Result<uint64_t> Count(const Query& query, uint64_t most,
                         std::chrono::milliseconds within) override;
  Status Ping(std::chrono::milliseconds within) override;

 private:
  // Opens the file if it is not open, and sets the deadline of the call.
  Status Begin(std::chrono::milliseconds within);
  Result<Page> Select(const Query& query, const PageLimit& limit);
  Result<uint64_t> SelectCount(const Query& query, uint64_t most);
  Error Failed(std::string_view operation, const Error& cause);
  // SQLite calls it with the store between the steps of a statement; 1 interrupts the statement.
  static int OnProgress(void* self);

  const std::string path_;
  const Clock& clock_;
  BootTime deadline_{};
  bool is_late_ = false;  // OnProgress has interrupted this call.
  SqliteConnection connection_;
};

SqliteQueryStore::SqliteQueryStore(std::string path, const Clock& clock)
    : path_(std::move(path)),
      clock_(clock),
      connection_({.path = path_, .access = SqliteConnection::Access::kQueries}) {}

int SqliteQueryStore::OnProgress(void* self) {
  auto& store = *static_cast<SqliteQueryStore*>(self);
  store.is_late_ = store.clock_.SinceBoot() >= store.deadline_;
  return store.is_late_ ? 1 : 0;
}

Status SqliteQueryStore::Begin(milliseconds within) {
  is_late_ = false;
  if (!connection_.is_open()) {
    if (Status status = connection_.Connect(); !status.ok()) return status;
    sqlite3_progress_handler(connection_.database().get(), kStepsBetweenLooks, &OnProgress, this);
  }
  deadline_ = clock_.SinceBoot() + within;
  connection_.database().SetBusyTimeout(within);
  return {};
}

Error SqliteQueryStore::Failed(std::string_view operation, const Error& cause) {
  // The statement was interrupted; the connection is as good as before.
  if (is_late_)
    return {ErrorCode::kFull, fmt::format("{} {}: it takes too long", operation, path_)};
  return connection_.Failed(operation, cause);
}

Result<Page> SqliteQueryStore::Find(const Query& query, const PageLimit& limit,
                                    milliseconds within) {
  if (Status status = Begin(within); !status.ok()) return status.error();
  auto page = Select(query, limit);
  if (!page.ok()) return Failed("query", page.error());
  return page;
}

Result<Page> SqliteQueryStore::Select(const Query& query, const PageLimit& limit) {
  Page page;
  const auto has = connection_.HasTable(query.ns);
  if (!has.ok()) return has.error();
  if (!*has) return page;
  const SqlQuery sql = FindSql(query, static_cast<int64_t>(limit.documents) + 1);
  auto select = sql.Prepare(connection_.database());
  if (!select.ok()) return select.error();
  for (;;) {
    const auto row = select->Step();
    if (!row.ok()) return row.error();
    if (!*row) return page;
    const auto at = ParseTime(select->Text(1));
    if (!at) continue;  // Text that is no time, which another program wrote.
    if (!page.Add({{*at, std::string(select->Text(0))}, std::string(select->Text(2))}, limit))
      return page;
  }
}

Result<uint64_t> SqliteQueryStore::Count(const Query& query, uint64_t most, milliseconds within) {
  if (Status status = Begin(within); !status.ok()) return status.error();
  const auto count = SelectCount(query, most);
  if (!count.ok()) return Failed("count in", count.error());
  return count;
}

Result<uint64_t> SqliteQueryStore::SelectCount(const Query& query, uint64_t most) {
  const auto has = connection_.HasTable(query.ns);
  if (!has.ok()) return has.error();
  if (!*has) return uint64_t{0};
  const SqlQuery sql = CountSql(query, static_cast<int64_t>(most));
  auto select = sql.Prepare(connection_.database());
  if (!select.ok()) return select.error();
  const auto row = select->Step();
  if (!row.ok()) return row.error();
  return *row ? static_cast<uint64_t>(select->Int(0)) : 0;
}

Status SqliteQueryStore::Ping(milliseconds within) {
  if (Status status = Begin(within); !status.ok()) return status;
  const auto has = connection_.HasTable({});
  return has.ok() ? Status() : Failed("read", has.error());
}

class SqliteQueries final : public Queries {
 public:
  SqliteQueries(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  Result<std::unique_ptr<QueryStore>> NewStore() override {
    return std::unique_ptr<QueryStore>(std::make_unique<SqliteQueryStore>(path_, clock_));
  }

 private:
  std::string path_;
  const Clock& clock_;
};
}  // namespace

std::unique_ptr<Queries> OpenSqliteQueries(std::string path, const Clock& clock) {
  return std::make_unique<SqliteQueries>(std::move(path), clock);
}

}  // namespace tidegate::reader
