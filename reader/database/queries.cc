#include "reader/database/queries.h"

#include <utility>

#include "reader/database/mongo/mongo_query_store.h"
#include "reader/database/sqlite/sqlite_query_store.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqliteUri = "sqlite:";
}  // namespace

Result<std::unique_ptr<Queries>> OpenQueries(const std::string& uri, const Clock& clock,
                                             std::chrono::milliseconds answer_within) {
  if (!uri.starts_with(kSqliteUri)) return OpenMongoQueries(uri, answer_within);
  std::string path = uri.substr(kSqliteUri.size());
  if (path.empty()) return Error{ErrorCode::kInvalid, "sqlite: needs the name of a file"};
  return OpenSqliteQueries(std::move(path), clock);
}

}  // namespace tidegate::reader
