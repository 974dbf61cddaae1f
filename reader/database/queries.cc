#include "reader/database/queries.h"

#include <utility>

#include "reader/database/mongo/mongo_query_store.h"
#include "reader/database/sqlite/sqlite_query_store.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kSqlite = "sqlite:";

class SqliteQueries final : public Queries {
 public:
  SqliteQueries(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  Result<std::unique_ptr<QueryStore>> NewStore() override {
    return std::unique_ptr<QueryStore>(std::make_unique<SqliteQueryStore>(path_, clock_));
  }

 private:
  std::string path_;
  const Clock& clock_;
};
}  // namespace

Result<std::unique_ptr<Queries>> OpenQueries(const std::string& uri, const Clock& clock) {
  if (!uri.starts_with(kSqlite)) return OpenMongoQueries(uri);
  std::string path = uri.substr(kSqlite.size());
  if (path.empty()) return Error{ErrorCode::kInvalid, "sqlite: needs the name of a file"};
  return std::unique_ptr<Queries>(std::make_unique<SqliteQueries>(std::move(path), clock));
}

}  // namespace tidegate::reader
