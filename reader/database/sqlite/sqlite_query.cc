#include "reader/database/sqlite/sqlite_query.h"

#include <fmt/format.h>

#include "core/time_format.h"
#include "reader/database/sqlite/sqlite_table.h"

namespace tidegate::reader {

namespace {
// Over an index on a member with several values SQLite would find the rows out of order and sort
// all of them. The plus keeps it from using that index: it reads the list in order and skips the
// rest.
void AddCondition(const Condition& condition, SqlQuery& sql) {
  const char* plus = condition.any_of.size() > 1 ? "+" : "";
  sql.Add(fmt::format(" AND {}{} IN (", plus, MemberSql(condition.member)));
  bool first = true;
  for (const auto& value : condition.any_of) {
    std::visit([&](const auto& one) { sql.Bind(first ? "?" : ", ?", one); }, value);
    first = false;
  }
  sql.Add(")");
}

void AddWhere(const Query& query, SqlQuery& sql) {
  const std::string time = MemberSql(query.time_member);
  sql.Add(fmt::format(" FROM {} WHERE typeof({}) = 'text'", QuotedTable(query.ns), time));
  for (const Condition& condition : query.where) AddCondition(condition, sql);
  if (query.from) sql.Bind(fmt::format(" AND {} >= ?", time), FormatTime(*query.from));
  // Only the tighter upper bound is given: SQLite assumes that each bound narrows, and with two it
  // would prefer an index that reads more rows.
  if (query.to && (!query.after || *query.to <= query.after->time)) {
    sql.Bind(fmt::format(" AND {} < ?", time), FormatTime(*query.to));
    return;
  }
  if (!query.after) return;
  const std::string at = FormatTime(query.after->time);
  sql.Bind(fmt::format(" AND {} <= ?", time), at);
  sql.Bind(fmt::format(" AND ({} < ?", time), at);
  sql.Bind(" OR id < ?)", query.after->id);
}
}  // namespace

Result<sqlite::Statement> SqlQuery::Prepare(sqlite::Database& database) const& {
  auto statement = database.Prepare(sql_);
  if (!statement.ok()) return statement;
  int parameter = 0;
  for (const auto& value : values_) {
    ++parameter;
    if (const auto* text = std::get_if<std::string>(&value)) {
      statement->Bind(parameter, *text);
    } else if (const auto* flag = std::get_if<bool>(&value)) {
      statement->Bind(parameter, int64_t{*flag ? 1 : 0});
    } else {
      statement->Bind(parameter, std::get<int64_t>(value));
    }
  }
  return statement;
}

SqlQuery FindSql(const Query& query, int64_t most) {
  const std::string time = MemberSql(query.time_member);
  SqlQuery sql;
  sql.Add(fmt::format("SELECT id, {}, body", time));
  AddWhere(query, sql);
  sql.Bind(fmt::format(" ORDER BY {} DESC, id DESC LIMIT ?", time), most);
  return sql;
}

SqlQuery CountSql(const Query& query, int64_t most) {
  SqlQuery sql;
  sql.Add("SELECT count(*) FROM (SELECT 1");
  AddWhere(query, sql);
  sql.Bind(" LIMIT ?)", most);
  return sql;
}

}  // namespace tidegate::reader
