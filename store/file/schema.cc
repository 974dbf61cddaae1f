#include "store/file/schema.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/random.h>

#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "core/check.h"
#include "core/sqlite/transaction.h"
#include "store/file/migrate.h"
#include "store/format/big_endian.h"

namespace tidegate {
namespace {

constexpr std::string_view kFileMagic("SQLite format 3\0", 16);
constexpr size_t kHeaderBytes = 100;
constexpr size_t kApplicationIdOffset = 68;
constexpr std::string_view kJournalMagic("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
constexpr size_t kJournalHeaderBytes = 28;
constexpr size_t kJournalPagesOffset = 16;  // Of the database before.

constexpr std::string_view kTables = R"(
CREATE TABLE batch(key INTEGER PRIMARY KEY, count INTEGER NOT NULL, created INTEGER NOT NULL, body BLOB NOT NULL,
                   totals BLOB);
CREATE TABLE state(name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letter(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, input TEXT NOT NULL, origin TEXT NOT NULL,
                         reason TEXT NOT NULL, payload BLOB NOT NULL, whole_bytes INTEGER);
)";

Error Foreign(const std::string& path, std::string_view why) {
  return {ErrorCode::kCorrupt, fmt::format("open {}: not a store of Tidegate: {}", path, why)};
}

// Whether power went while SQLite wrote the first page of a new file: the journal, which says that
// the file was empty, takes that page back. https://www.sqlite.org/fileformat2.html, "The Rollback
// Journal".
bool WasBeingCreated(const std::string& path) {
  std::error_code missing;
  if (std::filesystem::file_size(path, missing) > kPageBytes || missing) return false;
  std::ifstream file(path + "-journal", std::ios::binary);
  std::array<char, kJournalHeaderBytes> header{};
  return file.read(header.data(), header.size()) &&
         std::string_view(header.data(), kJournalMagic.size()) == kJournalMagic &&
         Big32(&header[kJournalPagesOffset]) == 0;
}

// Looks at the file's header before SQLite does, because SQLite may write (a recovery) as soon as
// it reads.
Status CheckHeader(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string header(kHeaderBytes, '\0');
  file.read(header.data(), static_cast<std::streamsize>(header.size()));
  if (file.gcount() == 0) return {};  // New; SQLite reports it if it cannot be read.
  header.resize(static_cast<size_t>(file.gcount()));
  if (header.size() < kHeaderBytes || header.substr(0, kFileMagic.size()) != kFileMagic) {
    if (WasBeingCreated(path)) return {};
    return Foreign(path, "not an SQLite database");
  }
  int64_t application = 0;
  for (size_t i = 0; i < 4; ++i) {
    application = application << 8 | static_cast<uint8_t>(header[kApplicationIdOffset + i]);
  }
  // 0: created a moment before a power cut, so that the log still has it; or foreign, which the
  // tables show.
  if (application != kApplicationId && application != 0) {
    return Foreign(path, fmt::format("application id {:#x}", application));
  }
  return {};
}

std::string RandomEpoch() {
  uint32_t number = 0;
  // Four bytes are never interrupted nor short (getrandom(2)).
  (void)!getrandom(&number, sizeof number, 0);
  return fmt::format("{:08x}", number);
}

Status Create(sqlite::Database& database) {
  auto transaction = sqlite::Transaction::Begin(database);
  if (!transaction.ok()) return transaction.error();
  auto status = database.Execute(std::string(kTables));
  if (status.ok()) status = WriteState(database, kStateEpoch, RandomEpoch());
  if (status.ok())
    status = WriteState(database, kStateLeastVersion, fmt::format("{}", kLeastVersion));
  if (status.ok())
    status = database.Execute(fmt::format("PRAGMA application_id={}", kApplicationId));
  if (status.ok()) status = database.Execute(fmt::format("PRAGMA user_version={}", kStoreVersion));
  if (!status.ok()) return status;
  return transaction->Commit();
}

Status SetPragmas(sqlite::Database& database, const SizeBudget& budget) {
  // 128 KiB of cache hold a batch and the tree above it. Checkpoints are called by the store, which
  // sees their errors. Debian's SQLite overwrites what is deleted, page by page, by
  // default.
  return database.Execute(
      fmt::format("PRAGMA synchronous=FULL; PRAGMA cache_size=-128; PRAGMA mmap_size=0; PRAGMA "
                  "temp_store=MEMORY;"
                  "PRAGMA secure_delete=OFF; PRAGMA wal_autocheckpoint=0; PRAGMA "
                  "journal_size_limit={}; PRAGMA max_page_count={}",
                  budget.log_reserve_bytes, budget.database_pages));
}

Status Migrate(sqlite::Database& database) {
  const auto version = database.Query("PRAGMA user_version");
  if (!version.ok()) return version.error();
  return *version < kStoreVersion ? MigrateFrom(*version, database) : Status();
}

// A new file has no tables at all.
Result<bool> IsEmpty(sqlite::Database& database) {
  auto tables = database.Query("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.error();
  return *tables == 0;
}

}  // namespace

Result<std::optional<std::string>> ReadState(sqlite::Database& database, std::string_view name) {
  CHECK(!name.empty(), "a row of table state has a name");
  auto statement = database.Prepare("SELECT body FROM state WHERE name=?1");
  if (!statement.ok()) return statement.error();
  const auto row = statement->Bind(1, name).Step();
  if (!row.ok()) return row.error();
  if (!*row) return std::optional<std::string>();
  return std::optional<std::string>(statement->Bytes(0));
}

Result<std::vector<std::pair<std::string, std::string>>> ReadStates(sqlite::Database& database,
                                                                    std::string_view prefix) {
  CHECK(!prefix.empty(), "a prefix leaves out the other rows");
  auto statement =
      database.Prepare("SELECT name, body FROM state WHERE substr(name, 1, ?2)=?1 ORDER BY name");
  if (!statement.ok()) return statement.error();
  statement->Bind(1, prefix).Bind(2, static_cast<int64_t>(prefix.size()));
  std::vector<std::pair<std::string, std::string>> rows;
  for (;;) {
    const auto row = statement->Step();
    if (!row.ok()) return row.error();
    if (!*row) return rows;
    rows.emplace_back(statement->Text(0), statement->Bytes(1));
  }
}

Status WriteState(sqlite::Database& database, std::string_view name, std::string_view body) {
  CHECK(!name.empty(), "a row of table state has a name");
  auto statement = database.Prepare("INSERT OR REPLACE INTO state(name, body) VALUES(?1, ?2)");
  if (!statement.ok()) return statement.error();
  return statement->Bind(1, name).BindBlob(2, body).Run();
}

Status DeleteState(sqlite::Database& database, std::string_view name) {
  CHECK(!name.empty(), "a row of table state has a name");
  auto statement = database.Prepare("DELETE FROM state WHERE name=?1");
  if (!statement.ok()) return statement.error();
  return statement->Bind(1, name).Run();
}

Status CheckStoreDatabase(sqlite::Database& database, const std::string& path) {
  const auto application = database.Query("PRAGMA application_id");
  if (!application.ok()) return application.error();
  if (*application != kApplicationId) {
    return Foreign(path, fmt::format("application id {:#x}", *application));
  }
  const auto version = database.Query("PRAGMA user_version");
  if (!version.ok()) return version.error();
  if (*version <= kStoreVersion) return {};
  const auto least = ReadState(database, kStateLeastVersion);
  if (!least.ok()) return least.error();
  int64_t least_version = *version;
  if (*least) std::from_chars((*least)->data(), (*least)->data() + (*least)->size(), least_version);
  if (least_version <= kStoreVersion) return {};
  return Error{
      ErrorCode::kInvalid,
      fmt::format("open {}: a later Tidegate wrote it (format {}, this one reads up to {})", path,
                  *version, kStoreVersion)};
}

Result<sqlite::Database> OpenStoreDatabase(const std::string& path, const std::string& vfs,
                                           const SizeBudget& budget) {
  if (auto status = CheckHeader(path); !status.ok()) return status.error();
  // The store bounds what it writes; a value that is too big for SQLite is damage, and no reason to
  // refuse an append for good.
  auto database = sqlite::Database::Open(path, {.access = sqlite::OpenOptions::Access::kCreate,
                                                .vfs = vfs,
                                                .sql_in_errors = true,
                                                .too_big = ErrorCode::kUnavailable});
  if (!database.ok()) return database.error();
  // A reader may be recovering the log at this moment. Later on nobody else ever writes.
  database->SetBusyTimeout(std::chrono::seconds(2));
  auto is_new = IsEmpty(*database);
  if (!is_new.ok()) return is_new.error();
  if (!*is_new) {
    auto status = CheckStoreDatabase(*database, path);
    if (!status.ok()) {
      // Closing would otherwise empty the log of a file that is not ours to touch.
      sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
      return status.error();
    }
  }
  // The page size only works on an empty file, and before the log is on.
  auto status =
      database->Execute(fmt::format("PRAGMA page_size={}; PRAGMA journal_mode=WAL", kPageBytes));
  if (status.ok()) status = SetPragmas(*database, budget);
  if (status.ok() && *is_new) {
    status = Create(*database);
    // From here on the file says by itself whose it is.
    if (status.ok()) status = database->Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  if (status.ok()) status = Migrate(*database);
  if (!status.ok()) return status.error();
  database->SetBusyTimeout(std::chrono::milliseconds(0));
  return database;
}

}  // namespace tidegate
