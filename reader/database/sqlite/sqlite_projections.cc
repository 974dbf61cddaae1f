#include "reader/database/sqlite/sqlite_projections.h"

#include <utility>

#include "core/sqlite/transaction.h"
#include "core/time_format.h"
#include "reader/database/projection_document.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSelect = "SELECT body FROM {} WHERE id=?1";
constexpr std::string_view kSelectInOrder =
    "SELECT body FROM {} ORDER BY body ->> '$.tidegate.topic', body ->> '$.tidegate.partition', "
    "body ->> '$.tidegate.offset'";
constexpr std::string_view kInsertProjection =
    "INSERT INTO {}(id, body) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING";
constexpr std::string_view kUpdate =
    "UPDATE {} SET body=?2 WHERE id=?1 AND body ->> '$.tidegate.revision' = ?3";
constexpr std::string_view kAdvance =
    "INSERT INTO {}(id, body) VALUES(?1, json_object('_id', ?1, 'next_offset', ?2, "
    "'updated_at', ?3)) ON CONFLICT(id) DO UPDATE SET body=excluded.body "
    "WHERE body ->> '$.next_offset' < ?2";
constexpr std::string_view kClear = "DELETE FROM {}";

// The reader wrote these bodies itself: the limits only keep a foreign document from harm.
constexpr json::Limits kLimits{
    .max_bytes = 16 * 1024 * 1024, .max_depth = 64, .max_values = 500'000};

// A body that is no JSON object reads as empty: SQLite's own checks would have failed before.
Object ReadBody(std::string_view body) {
  const auto parsed = json::Document::Parse(body, kLimits);
  if (!parsed.ok() || !parsed->root().is_object()) return {};
  return std::get<Object>(ToValue(parsed->root()).is);
}
}  // namespace

SqliteProjections::SqliteProjections(Options options)
    : connection_({.path = std::move(options.path), .busy_timeout = options.busy_timeout}) {}

Result<std::unique_ptr<SqliteProjections>> SqliteProjections::Open(Options options) {
  std::unique_ptr<SqliteProjections> store(new SqliteProjections(std::move(options)));
  if (Status status = store->connection_.Connect(); !status.ok()) return status.error();
  return store;
}

Result<std::optional<Object>> SqliteProjections::ReadOne(const DocumentKey& key) {
  std::optional<Object> body;
  const auto select = connection_.KeptRead(key.ns, kSelect);
  if (!select.ok()) return select.error();
  if (*select == nullptr) return body;
  const sqlite::StatementScope scope(**select);
  const auto row = (*select)->Bind(1, key.id).Step();
  if (!row.ok()) return row.error();
  if (*row) body = ReadBody((*select)->Bytes(0));
  return body;
}

Result<SqliteProjections::Bodies> SqliteProjections::Read(std::string_view operation,
                                                          std::span<const DocumentKey> keys) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  Bodies bodies;
  bodies.reserve(keys.size());
  for (const DocumentKey& key : keys) {
    auto body = ReadOne(key);
    if (!body.ok()) return connection_.Failed(operation, body.error());
    bodies.push_back(std::move(*body));
  }
  return bodies;
}

Result<std::vector<Projection>> SqliteProjections::Load(std::span<const DocumentKey> keys) {
  auto bodies = Read("read projections from", keys);
  if (!bodies.ok()) return bodies.error();
  std::vector<Projection> projections;
  projections.reserve(keys.size());
  for (size_t i = 0; i < keys.size(); ++i)
    projections.push_back(ReadProjection(keys[i], std::move((*bodies)[i]).value_or(Object())));
  return projections;
}

Result<SaveOutcome> SqliteProjections::SaveOne(const Projection& projection) {
  const bool is_new = projection.revision == 0;
  const auto save = connection_.Kept(projection.key.ns, is_new ? kInsertProjection : kUpdate);
  if (!save.ok()) return save.error();
  const std::string body = ToJson(StoredForm(projection));
  // A larger one could not be read back.
  if (body.size() > kLimits.max_bytes) return SaveOutcome::kRefused;
  (*save)->Bind(1, projection.key.id).Bind(2, body);
  if (!is_new) (*save)->Bind(3, projection.revision);
  if (Status status = (*save)->Run(); !status.ok()) return status.error();
  return (*save)->Changes() > 0 ? SaveOutcome::kSaved : SaveOutcome::kConflict;
}

Result<std::vector<SaveOutcome>> SqliteProjections::SaveAll(
    std::span<const Projection> projections) {
  auto transaction = sqlite::Transaction::Begin(connection_.database());
  if (!transaction.ok()) return transaction.error();
  std::vector<SaveOutcome> outcomes;
  outcomes.reserve(projections.size());
  for (const Projection& projection : projections) {
    const auto outcome = SaveOne(projection);
    if (!outcome.ok()) return outcome.error();
    outcomes.push_back(*outcome);
  }
  if (Status status = transaction->Commit(); !status.ok()) return status.error();
  return outcomes;
}

Result<std::vector<SaveOutcome>> SqliteProjections::Save(std::span<const Projection> projections) {
  if (Status status = connection_.Connect(); !status.ok()) return status.error();
  if (projections.empty()) return std::vector<SaveOutcome>();
  auto outcomes = SaveAll(projections);
  if (!outcomes.ok()) return connection_.Failed("save projections in", outcomes.error());
  CHECK(outcomes->size() == projections.size(), "each projection has one outcome");
  return outcomes;
}

Result<std::vector<std::optional<Landed>>> SqliteProjections::FindLanded(
    std::span<const DocumentKey> keys) {
  const auto bodies = Read("read documents from", keys);
  if (!bodies.ok()) return bodies.error();
  std::vector<std::optional<Landed>> found;
  found.reserve(keys.size());
  for (const auto& body : *bodies) found.push_back(body ? ReadLanded(*body) : std::nullopt);
  return found;
}

Status SqliteProjections::EachLanded(const Namespace& ns, const TakeLanded& take) {
  constexpr std::string_view kOperation = "read documents from";
  if (Status status = connection_.Connect(); !status.ok()) return status;
  const auto select = connection_.Kept(ns, kSelectInOrder);
  if (!select.ok()) return connection_.Failed(kOperation, select.error());
  for (;;) {
    const auto row = (*select)->Step();
    if (!row.ok()) return connection_.Failed(kOperation, row.error());
    const Status taken = *row ? take((*select)->Text(0)) : Status();
    if (*row && taken.ok()) continue;
    (*select)->Reset();
    return taken;
  }
}

Status SqliteProjections::Clear(const Namespace& ns) {
  if (Status status = connection_.Connect(); !status.ok()) return status;
  const auto clear = connection_.Kept(ns, kClear);
  const Status status = clear.ok() ? (*clear)->Run() : clear.error();
  return status.ok() ? Status() : connection_.Failed("clear a table of", status.error());
}

Result<Offsets> SqliteProjections::ReadPositions(const std::string& database,
                                                 std::span<const std::string> partitions) {
  std::vector<DocumentKey> keys;
  for (const std::string& partition : partitions)
    keys.push_back({{database, kPositions}, partition});
  const auto bodies = Read("read positions from", keys);
  if (!bodies.ok()) return bodies.error();
  Offsets positions;
  for (size_t i = 0; i < keys.size(); ++i) {
    if ((*bodies)[i]) positions[partitions[i]] = (*bodies)[i]->Integer("next_offset");
  }
  return positions;
}

Status SqliteProjections::Advance(const Namespace& ns, const Offsets& next, WallTime now) {
  auto transaction = sqlite::Transaction::Begin(connection_.database());
  if (!transaction.ok()) return transaction.error();
  const auto advance = connection_.Kept(ns, kAdvance);
  if (!advance.ok()) return advance.error();
  const std::string updated = FormatTime(now);
  for (const auto& [partition, offset] : next) {
    Status status = (*advance)->Bind(1, partition).Bind(2, offset).Bind(3, updated).Run();
    if (!status.ok()) return status;
  }
  return transaction->Commit();
}

Status SqliteProjections::WritePositions(const std::string& database, const Offsets& next,
                                         WallTime now) {
  if (Status status = connection_.Connect(); !status.ok()) return status;
  if (next.empty()) return {};
  const Status status = Advance({database, kPositions}, next, now);
  return status.ok() ? Status() : connection_.Failed("write positions in", status.error());
}

}  // namespace tidegate::reader
