#include "reader/database/sqlite/sqlite_query_store.h"

#include <fmt/format.h>

#include <utility>

#include "core/time_format.h"
#include "reader/database/sqlite/sqlite_query.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// How many of SQLite's steps lie between two looks at the clock: about a millisecond.
constexpr int kStepsBetweenLooks = 10'000;
}  // namespace

struct SqliteQueryStore::Connection {
  SqliteHandle database;
  const Clock& clock;
  BootTime deadline{};

  // 1 interrupts the statement.
  static int OnProgress(void* self) {
    const auto& connection = *static_cast<Connection*>(self);
    return connection.clock.SinceBoot() >= connection.deadline ? 1 : 0;
  }
};

SqliteQueryStore::SqliteQueryStore(std::string path, const Clock& clock)
    : path_(std::move(path)), clock_(clock) {}
SqliteQueryStore::~SqliteQueryStore() = default;

Status SqliteQueryStore::Connect(milliseconds within) {
  if (!connection_) {
    auto connection = std::make_unique<Connection>(Connection{{}, clock_});
    sqlite3* raw = nullptr;
    // Not read-only, which could not take part in the write-ahead log of a file that nobody has
    // open.
    const int opened =
        sqlite3_open_v2(path_.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    connection->database.reset(raw);
    if (opened != SQLITE_OK) return Failed("open", opened);
    const int code = sqlite3_exec(raw, "PRAGMA query_only=1", nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return Failed("open", code);
    sqlite3_progress_handler(raw, kStepsBetweenLooks, &Connection::OnProgress, connection.get());
    connection_ = std::move(connection);
  }
  connection_->deadline = clock_.SinceBoot() + within;
  sqlite3_busy_timeout(connection_->database.get(), static_cast<int>(within.count()));
  return {};
}

Status SqliteQueryStore::Failed(std::string_view operation, int code) {
  if (code != SQLITE_BUSY && code != SQLITE_INTERRUPT) connection_.reset();
  if (code == SQLITE_INTERRUPT) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("{} {}: it takes too long", operation, path_)};
  }
  return SqlError(operation, path_, code);
}

Result<Page> SqliteQueryStore::Find(const Query& query, const PageLimit& limit,
                                    milliseconds within) {
  if (Status status = Connect(within); !status.ok()) return status.error();
  Page page;
  bool has = false;
  if (const int code = HasTable(connection_->database.get(), query.ns, has); code != SQLITE_OK)
    return Failed("query", code).error();
  if (!has) return page;
  StatementHandle prepared;
  int code = FindStatement(query, static_cast<int64_t>(limit.documents) + 1)
                 .Prepare(connection_->database.get(), prepared);
  if (code == SQLITE_OK) code = sqlite3_step(prepared.get());
  for (; code == SQLITE_ROW; code = sqlite3_step(prepared.get())) {
    const auto at = ParseTime(ColumnText(prepared.get(), 1));
    if (!at) continue;  // Text that is no time, which another program wrote.
    if (!page.Add({{*at, ColumnText(prepared.get(), 0)}, ColumnText(prepared.get(), 2)}, limit))
      return page;
  }
  if (code == SQLITE_DONE) return page;
  prepared.reset();
  return Failed("query", code).error();
}

Result<uint64_t> SqliteQueryStore::Count(const Query& query, uint64_t most, milliseconds within) {
  if (Status status = Connect(within); !status.ok()) return status.error();
  bool has = false;
  if (const int code = HasTable(connection_->database.get(), query.ns, has); code != SQLITE_OK)
    return Failed("query", code).error();
  if (!has) return uint64_t{0};
  StatementHandle prepared;
  int code = CountStatement(query, static_cast<int64_t>(most))
                 .Prepare(connection_->database.get(), prepared);
  if (code == SQLITE_OK) code = sqlite3_step(prepared.get());
  if (code == SQLITE_ROW) return static_cast<uint64_t>(sqlite3_column_int64(prepared.get(), 0));
  prepared.reset();
  return Failed("count in", code).error();
}

Status SqliteQueryStore::Ping(milliseconds within) {
  if (Status status = Connect(within); !status.ok()) return status;
  bool has = false;
  const int code = HasTable(connection_->database.get(), {}, has);
  return code == SQLITE_OK ? Status() : Failed("read", code);
}

}  // namespace tidegate::reader
