#include "reader/project/rebuild/document_sorter.h"

#include <utility>

namespace tidegate::reader {

namespace {
constexpr const char* kSchema =
    "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;"
    "CREATE TABLE entry(base TEXT, collection TEXT, body TEXT, asset TEXT, part TEXT, place "
    "INTEGER,"
    " time INTEGER, letter INTEGER, state INTEGER);";
constexpr std::string_view kInsert = "INSERT INTO entry VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
constexpr std::string_view kLetters =
    "SELECT base, collection, body FROM entry WHERE letter ORDER BY part, place";
constexpr std::string_view kByTime =
    "SELECT base, collection, body FROM entry WHERE state ORDER BY asset, "
    "max(time) OVER (PARTITION BY asset, part ORDER BY place), part, place";
}  // namespace

Result<DocumentSorter> DocumentSorter::Open() {
  sqlite::OpenOptions options;
  options.access = sqlite::OpenOptions::Access::kCreate;
  auto database = sqlite::Database::Open("", options);  // SQLite's name for a temporary file.
  if (!database.ok()) return database.error();
  DocumentSorter sorter(std::move(database).value());
  Status status = sorter.database_.Execute(kSchema);
  if (status.ok()) status = sorter.database_.PrepareInto(sorter.insert_, kInsert);
  if (!status.ok()) return status.error();
  return sorter;
}

Status DocumentSorter::Add(const Entry& entry) {
  return insert_.Bind(1, entry.ns.database)
      .Bind(2, entry.ns.collection)
      .Bind(3, entry.text)
      .Bind(4, entry.asset)
      .Bind(5, entry.partition)
      .Bind(6, entry.offset)
      .Bind(7, int64_t{entry.time.time_since_epoch().count()})
      .Bind(8, int64_t{entry.is_letter})
      .Bind(9, int64_t{entry.has_state})
      .Run();
}

Status DocumentSorter::EachLetter(const Take& take) {
  return Each(kLetters, take);
}

Status DocumentSorter::EachByTime(const Take& take) {
  return Each(kByTime, take);
}

Status DocumentSorter::Each(std::string_view sql, const Take& take) {
  auto select = database_.Prepare(sql);
  if (!select.ok()) return select.error();
  for (;;) {
    const auto row = select->Step();
    if (!row.ok()) return row.error();
    if (!*row) return {};
    const Namespace ns{std::string(select->Text(0)), std::string(select->Text(1))};
    if (Status status = take(ns, select->Text(2)); !status.ok()) return status;
  }
}

}  // namespace tidegate::reader
