#include "reader/database/eraser.h"

#include "reader/database/migrator.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

bool NamesNobody(const std::string& collection) {
  return collection == kPositions || collection == kMigrations || collection.starts_with("system.");
}

}  // namespace tidegate::reader
