#include "reader/query/sqlite_query_store.h"

#include <fmt/format.h>

#include <utility>

#include "core/time_format.h"
#include "reader/database/sqlite_connection.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

// How many of SQLite's steps lie between two looks at the clock: about a millisecond.
constexpr int kStepsBetweenLooks = 10'000;

std::string Member(std::string_view member) {
  return fmt::format("json_extract(body, {})", SqlQuoted(fmt::format("$.{}", member), '\''));
}

// A statement's text and what is bound to its parameters, in their order.
class Statement {
 public:
  void Add(std::string_view text) { sql_ += text; }
  void Bind(std::string_view text, std::variant<std::string, bool, int64_t> value) {
    sql_ += text;
    values_.push_back(std::move(value));
  }
  int Prepare(sqlite3* database, StatementHandle& statement) const;

 private:
  std::string sql_;
  std::vector<std::variant<std::string, bool, int64_t>> values_;
};

int Statement::Prepare(sqlite3* database, StatementHandle& statement) const {
  if (const int code = PrepareSql(database, sql_, statement); code != SQLITE_OK) return code;
  for (size_t i = 0; i < values_.size(); ++i) {
    const int place = static_cast<int>(i) + 1;
    if (const auto* text = std::get_if<std::string>(&values_[i])) {
      sqlite3_bind_text64(statement.get(), place, text->data(), text->size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
    } else if (const auto* flag = std::get_if<bool>(&values_[i])) {
      sqlite3_bind_int(statement.get(), place, *flag ? 1 : 0);
    } else {
      sqlite3_bind_int64(statement.get(), place, std::get<int64_t>(values_[i]));
    }
  }
  return SQLITE_OK;
}

void AddCondition(const Condition& condition, Statement& statement) {
  statement.Add(" AND " + Member(condition.member) + " IN (");
  bool first = true;
  for (const auto& value : condition.any_of) {
    std::visit([&](const auto& one) { statement.Bind(first ? "?" : ", ?", one); }, value);
    first = false;
  }
  statement.Add(")");
}

void AddWhere(const Query& query, Statement& statement) {
  const std::string time = Member(query.time_member);
  statement.Add(fmt::format(" FROM {} WHERE typeof({}) = 'text'", TableOf(query.ns), time));
  for (const Condition& condition : query.where) AddCondition(condition, statement);
  if (query.from) statement.Bind(fmt::format(" AND {} >= ?", time), FormatTime(*query.from));
  if (query.to) statement.Bind(fmt::format(" AND {} < ?", time), FormatTime(*query.to));
  if (!query.after) return;
  const std::string at = FormatTime(query.after->time);
  statement.Bind(fmt::format(" AND {} <= ?", time), at);
  statement.Bind(fmt::format(" AND ({} < ?", time), at);
  statement.Bind(" OR id < ?)", query.after->id);
}

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
  int HasTable(const Namespace& ns, bool& has);
};

int SqliteQueryStore::Connection::HasTable(const Namespace& ns, bool& has) {
  Statement statement;
  statement.Bind("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", TableName(ns));
  StatementHandle prepared;
  if (const int code = statement.Prepare(database.get(), prepared); code != SQLITE_OK) return code;
  const int code = sqlite3_step(prepared.get());
  has = code == SQLITE_ROW;
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

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
  if (const int code = connection_->HasTable(query.ns, has); code != SQLITE_OK)
    return Failed("query", code).error();
  if (!has) return page;
  const std::string time = Member(query.time_member);
  Statement statement;
  statement.Add(fmt::format("SELECT id, {}, body", time));
  AddWhere(query, statement);
  statement.Bind(fmt::format(" ORDER BY {} DESC, id DESC LIMIT ?", time),
                 static_cast<int64_t>(limit.documents) + 1);
  StatementHandle prepared;
  int code = statement.Prepare(connection_->database.get(), prepared);
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
  if (const int code = connection_->HasTable(query.ns, has); code != SQLITE_OK)
    return Failed("query", code).error();
  if (!has) return uint64_t{0};
  Statement statement;
  statement.Add("SELECT count(*) FROM (SELECT 1");
  AddWhere(query, statement);
  statement.Bind(" LIMIT ?)", static_cast<int64_t>(most));
  StatementHandle prepared;
  int code = statement.Prepare(connection_->database.get(), prepared);
  if (code == SQLITE_OK) code = sqlite3_step(prepared.get());
  if (code == SQLITE_ROW) return static_cast<uint64_t>(sqlite3_column_int64(prepared.get(), 0));
  prepared.reset();
  return Failed("count in", code).error();
}

Status SqliteQueryStore::Ping(milliseconds within) {
  if (Status status = Connect(within); !status.ok()) return status;
  bool has = false;
  const int code = connection_->HasTable({}, has);
  return code == SQLITE_OK ? Status() : Failed("read", code);
}

}  // namespace tidegate::reader
