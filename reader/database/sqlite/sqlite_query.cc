#include "reader/database/sqlite/sqlite_query.h"

#include <fmt/format.h>

#include "core/time_format.h"

namespace tidegate::reader {

namespace {
std::string Member(std::string_view member) {
  return fmt::format("json_extract(body, {})", SqlQuoted(fmt::format("$.{}", member), '\''));
}

// By an index on a member with several values SQLite would find the rows out of order and sort all
// of them; the plus keeps it from that, so that it reads the list in order and passes others over.
void AddCondition(const Condition& condition, SqlStatement& statement) {
  const char* plus = condition.any_of.size() > 1 ? "+" : "";
  statement.Add(fmt::format(" AND {}{} IN (", plus, Member(condition.member)));
  bool first = true;
  for (const auto& value : condition.any_of) {
    std::visit([&](const auto& one) { statement.Bind(first ? "?" : ", ?", one); }, value);
    first = false;
  }
  statement.Add(")");
}

void AddWhere(const Query& query, SqlStatement& statement) {
  const std::string time = Member(query.time_member);
  statement.Add(fmt::format(" FROM {} WHERE typeof({}) = 'text'", TableOf(query.ns), time));
  for (const Condition& condition : query.where) AddCondition(condition, statement);
  if (query.from) statement.Bind(fmt::format(" AND {} >= ?", time), FormatTime(*query.from));
  // Only the tighter upper bound: SQLite takes each bound for one that narrows, and would prefer an
  // index of more rows for having two.
  if (query.to && (!query.after || *query.to <= query.after->time)) {
    statement.Bind(fmt::format(" AND {} < ?", time), FormatTime(*query.to));
    return;
  }
  if (!query.after) return;
  const std::string at = FormatTime(query.after->time);
  statement.Bind(fmt::format(" AND {} <= ?", time), at);
  statement.Bind(fmt::format(" AND ({} < ?", time), at);
  statement.Bind(" OR id < ?)", query.after->id);
}
}  // namespace

int SqlStatement::Prepare(sqlite3* database, StatementHandle& statement) const {
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

SqlStatement FindStatement(const Query& query, int64_t most) {
  const std::string time = Member(query.time_member);
  SqlStatement statement;
  statement.Add(fmt::format("SELECT id, {}, body", time));
  AddWhere(query, statement);
  statement.Bind(fmt::format(" ORDER BY {} DESC, id DESC LIMIT ?", time), most);
  return statement;
}

SqlStatement CountStatement(const Query& query, int64_t most) {
  SqlStatement statement;
  statement.Add("SELECT count(*) FROM (SELECT 1");
  AddWhere(query, statement);
  statement.Bind(" LIMIT ?)", most);
  return statement;
}

}  // namespace tidegate::reader
