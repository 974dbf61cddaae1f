#include "reader/database/eraser.h"

#include "reader/database/migrator.h"
#include "reader/database/mongo/mongo_eraser.h"
#include "reader/database/projection_store.h"
#include "reader/database/sqlite/sqlite_eraser.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqliteFile = "sqlite:";
}  // namespace

bool NamesNobody(const std::string& collection) {
  return collection == kPositions || collection == kMigrations || collection.starts_with("system.");
}

Result<std::unique_ptr<Eraser>> OpenEraser(const std::string& uri) {
  if (uri.starts_with(kSqliteFile)) return OpenSqliteEraser(uri.substr(kSqliteFile.size()));
  return OpenMongoEraser(uri);
}

}  // namespace tidegate::reader
